// How long the coordinator did not listen: a pass of the loop, or a commit, that took longer than
// limits::kStall. No lease may suffer for it. Pure; each moment is noted once.
#pragma once

#include <algorithm>

#include "common/base/limits.h"

namespace zq::coordinator {

class StallWatch {
  public:
    /// The part of a span (boot clock) that is to be noted now; 0 where it was short enough, or
    /// noted before.
    Millis note(Millis from, Millis to) {
        if (to - from <= limits::kStall) return {};
        const Millis begin = std::max(from, noted_until_);
        if (to <= begin) return {};
        noted_until_ = to;
        return to - begin;
    }

  private:
    Millis noted_until_{};
};

}  // namespace zq::coordinator
