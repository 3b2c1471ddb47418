#include "cli/number.h"

#include <charconv>
#include <cmath>
#include <cstdint>

namespace mobilenet::cli {
namespace {

template <typename T>
std::string Expected(const Range<T>& range) {
  const std::string kind = std::is_integral_v<T> ? "a whole number" : "a number";
  const Range<T> all;
  if (std::is_signed_v<T> && range.low == all.low && range.high == all.high) return kind;
  if (range.above_low) return fmt::format("more than {} and at most {}", range.low, range.high);
  return std::is_integral_v<T> ? fmt::format("{} from {} to {}", kind, range.low, range.high)
                               : fmt::format("{} to {}", range.low, range.high);
}

}  // namespace

template <typename T>
T ParseNumber(const std::string& name, const std::string& text, const Range<T>& range) {
  constexpr std::size_t kShown = 40;
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool good = error == std::errc() && end == text.data() + text.size();
  if constexpr (std::is_floating_point_v<T>) good = good && std::isfinite(value);
  good = good && value <= range.high && (range.above_low ? value > range.low : value >= range.low);
  if (good) return value;
  throw CLI::ValidationError(
      fmt::format("{} is {}, expected {}", name, text.substr(0, kShown), Expected(range)));
}

template int ParseNumber(const std::string&, const std::string&, const Range<int>&);
template std::uint64_t ParseNumber(const std::string&, const std::string&, const Range<std::uint64_t>&);
template double ParseNumber(const std::string&, const std::string&, const Range<double>&);

}  // namespace mobilenet::cli
