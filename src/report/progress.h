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
  // `title` stands before all else.
  Progress(std::size_t total, std::string what, std::string title = "");
  ~Progress();  // clears the bar
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Advance() { AdvanceTo(done_ + 1, ""); }
  // `done` things are done; `note` stands beside how much is left.
  void AdvanceTo(std::size_t done, const std::string& note);
  // Takes the bar away, so that something else can be printed; the next Advance draws it again.
  void Clear();

 private:
  using Clock = std::chrono::steady_clock;
  [[nodiscard]] std::string Line(double seconds, const std::string& note) const;

  std::size_t total_;
  std::size_t done_ = 0;
  std::size_t first_ = 0;  // where the first call found it: a job that is resumed doesn't begin at 0
  bool began_ = false;
  std::string what_;
  std::string title_;
  bool terminal_;
  bool drawn_ = false;
  Clock::time_point begin_ = Clock::now();
  Clock::time_point next_;
};

}  // namespace mobilenet
