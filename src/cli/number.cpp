#include "cli/number.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace mobilenet::cli {
namespace {

template <typename T>
std::string Expected(const Bounds<T>& bounds, bool too_large) {
  const std::string_view kind = std::is_integral_v<T> ? "a whole number" : "a number";
  const Bounds<T> all;
  if (!too_large && std::is_signed_v<T> && bounds.low == all.low && bounds.high == all.high)
    return std::string(kind);
  if (bounds.above_low) return fmt::format("more than {} and at most {}", bounds.low, bounds.high);
  return std::is_integral_v<T> ? fmt::format("{} from {} to {}", kind, bounds.low, bounds.high)
                               : fmt::format("{} to {}", bounds.low, bounds.high);
}

}  // namespace

template <typename T>
T ParseNumber(const std::string& name, const std::string& text, const Bounds<T>& bounds) {
  constexpr std::size_t kShown = 40;
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool good = error == std::errc() && end == text.data() + text.size();
  if constexpr (std::is_floating_point_v<T>) good = good && std::isfinite(value);
  good = good && value <= bounds.high && (bounds.above_low ? value > bounds.low : value >= bounds.low);
  if (good) return value;
  throw CLI::ValidationError(fmt::format("{} is {}, expected {}", name, text.substr(0, kShown),
                                         Expected(bounds, error == std::errc::result_out_of_range)));
}

template int ParseNumber(const std::string&, const std::string&, const Bounds<int>&);
template std::uint64_t ParseNumber(const std::string&, const std::string&, const Bounds<std::uint64_t>&);
template double ParseNumber(const std::string&, const std::string&, const Bounds<double>&);

}  // namespace mobilenet::cli
