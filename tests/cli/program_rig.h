// Whole command lines in this process, in a folder of their own, against a scripted coordinator.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <optional>

#include "cli/program.h"
#include "common/platform/digest.h"
#include "common/platform/files.h"
#include "tests/cli/fake_server.h"

namespace zq::cli {

struct Ran {
    int exit = 0;
    std::string out;
    std::string err;
};

class Program : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = testing::TempDir() + "zq-program-" + to_hex(random_u64());
        std::filesystem::create_directory(folder_);
        for (const char* name : {"ZQ_CONNECT", "ZQ_LEASE", "ZQ_TASK_ID", "ZQ_ATTEMPT"})
            ::unsetenv(name);
        ::setenv("ZQ_CONFIG", (folder_ + "/config.toml").c_str(), 1);
        ::setenv("XDG_STATE_HOME", folder_.c_str(), 1);
        ::setenv("ZQ_FROM", "tester", 1);
    }
    void TearDown() override {
        ::unsetenv("ZQ_CONNECT");
        std::filesystem::remove_all(folder_);
    }

    test::FakeServer& serve(test::FakeServer::Answer answer) {
        server_.emplace(context_, std::move(answer));
        ::setenv("ZQ_CONNECT", server_->endpoint().c_str(), 1);
        return *server_;
    }

    static Ran run(const std::vector<std::string>& words) {
        testing::internal::CaptureStdout();
        testing::internal::CaptureStderr();
        Ran ran;
        ran.exit = run_program(words);
        ran.out = testing::internal::GetCapturedStdout();
        ran.err = testing::internal::GetCapturedStderr();
        return ran;
    }

    std::string folder_;
    SocketContext context_;
    std::optional<test::FakeServer> server_;
};

}  // namespace zq::cli
