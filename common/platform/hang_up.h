// What SIGHUP means to a program that runs for long: its terminal is gone, and it is to end; or,
// without one, that it is to read its settings again.
#pragma once

namespace zq {

class HangUp {
  public:
    /// Looks at the terminal as it is now. A program started by nohup has none, as far as this
    /// goes.
    static HangUp watch();

    /// To be asked when SIGHUP has come: true if the terminal that was there at the start is gone.
    bool ends() const;

  private:
    bool had_terminal_ = false;
};

}  // namespace zq
