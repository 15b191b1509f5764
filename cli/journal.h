// The commands that read a coordinator's data folder without a coordinator: `journal …`. They alone
// (and `backup verify|restore`) see the store; what the other commands know comes over the wire.
#pragma once

#include <span>

#include "cli/command.h"
#include "coordinator/store/restore.h"
#include "coordinator/store/verify.h"

namespace zq::cli {

/// With what to do about it.
tl::unexpected<Problem> journal_problem(Error error);

/// What verify found, on stdout; its problems on stderr. Ends with exit code 20 if there are any.
Ending print_verdict(const Context& context, const store::VerifyReport& report);
/// What restore made, and how to go on.
Ending print_restored(const Context& context, const store::RestoreReport& report,
                      const std::string& into);

Ending run_journal_info(const Context& context);    // journal_report.cc
Ending run_journal_verify(const Context& context);  // journal_report.cc

Ending run_journal_export(const Context& context);   // journal_export.cc
Ending run_journal_archive(const Context& context);  // journal_archive.cc
/// An archive's file alone; with --data, that the journal goes on where it ends.
Ending run_archive_verify(const Context& context, const std::string& file);
Ending run_journal_restore(const Context& context);  // journal_restore.cc

}  // namespace zq::cli
