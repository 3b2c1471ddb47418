#include "report/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "report/text.h"

namespace mobilenet {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kQuiet{2000};
constexpr milliseconds kRedraw{100};
constexpr milliseconds kPlain{10'000};

// A terminal that is gone, or a full disk behind standard error, ends no work.
void Say(const std::string& text) {
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
}

}  // namespace

Progress::Progress(std::size_t total, std::string what, std::string title)
    : total_(total),
      what_(std::move(what)),
      title_(std::move(title)),
      terminal_(isatty(STDERR_FILENO) == 1),
      next_(begin_ + kQuiet) {}

Progress::~Progress() { Clear(); }

std::string Progress::Line(double seconds, const std::string& note) const {
  const double share =
      total_ == 0 ? 1 : std::min(1.0, static_cast<double>(done_) / static_cast<double>(total_));
  const double rate = static_cast<double>(done_ - first_) / seconds;
  const double left = static_cast<double>(total_ - std::min(done_, total_)) / rate;
  const std::string counted =
      what_.empty() ? "" : fmt::format("{} of {} {}, {:.0f} a second, ", done_, total_, what_, rate);
  const std::string counts = fmt::format("{}{:3.0f} %  {}{}{}{:.0f} s left", title_, 100 * share, note,
                                         note.empty() ? "" : ", ", counted, left);
  constexpr int kWidth = 24;
  const std::string bar = Bar(share, kWidth);
  const std::string rest(static_cast<std::size_t>(kWidth - DisplayWidth(bar)), ' ');
  return terminal_ ? fmt::format("{}{} {}", bar, rest, counts) : counts;
}

void Progress::AdvanceTo(std::size_t done, const std::string& note) {
  if (!std::exchange(began_, true)) first_ = done - std::min<std::size_t>(done, 1);
  done_ = done;
  const auto now = Clock::now();
  if (now < next_) return;
  next_ = now + (terminal_ ? kRedraw : kPlain);
  const double seconds = std::chrono::duration<double>(now - begin_).count();
  const std::string line = Line(seconds, note);
  Say((terminal_ ? "\r\033[K" : "") + line + (terminal_ ? "" : "\n"));
  drawn_ = terminal_;
}

void Progress::Clear() {
  if (!drawn_) return;
  Say("\r\033[K");
  drawn_ = false;
}

}  // namespace mobilenet
