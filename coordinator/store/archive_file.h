// The file of an archive: making it, and reading where its chain begins and ends.
#pragma once

#include "coordinator/store/archive.h"

namespace zq::store {

class ArchiveFile {
  public:
    /// A new file; what is added lasts once `finish` has succeeded. Errors: CONFLICT, IO.
    static Result<ArchiveFile> create(const std::string& path);

    /// The event that the walk stands at.
    Result<void> add(const ChainWalk& walk);
    Result<void> finish(const ArchiveReport& report);

  private:
    ArchiveFile(Database database, Statement event, Statement body, Statement erased)
        : database_(std::move(database)),
          event_(std::move(event)),
          body_(std::move(body)),
          erased_(std::move(erased)) {}

    Database database_;
    Statement event_;
    Statement body_;
    Statement erased_;
};

}  // namespace zq::store
