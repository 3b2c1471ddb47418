// How far a long job is, on standard error.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace mobilenet {

// A bar that is redrawn in place on a terminal; elsewhere a plain line every ten seconds. Nothing appears in
// the first two seconds. One thread at a time.
class Progress {
 public:
  // `what` is the plural of the things counted, as in "photos"; where it is empty, only the share is shown.
  Progress(std::size_t total, std::string what);
  ~Progress();  // clears the bar
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Advance();
  // Takes the bar away, so that something else can be printed; the next Advance draws it again.
  void Clear();

 private:
  using Clock = std::chrono::steady_clock;
  [[nodiscard]] std::string Line(double seconds) const;

  std::size_t total_;
  std::size_t done_ = 0;
  std::string what_;
  bool terminal_;
  bool drawn_ = false;
  Clock::time_point begin_ = Clock::now();
  Clock::time_point next_;
};

}  // namespace mobilenet
