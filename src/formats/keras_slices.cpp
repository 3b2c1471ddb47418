#include "formats/keras_slices.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "formats/json.h"

namespace mobilenet {
namespace {

using nlohmann::json;

bool IsEllipsis(const json& index) { return TextOr(index, "class_name", "") == "__ellipsis__"; }

// From the first or the last to the other end, in steps of this; 0 for another slice, or none. Keras 3 wraps
// the three numbers up.
std::int64_t StepOf(const json& index) {
  if (!index.is_object()) return 0;
  const json& slice = index.contains("config") ? index["config"] : index;
  if (!slice.is_object() || !slice.contains("step") || !slice.contains("start") || !slice.contains("stop"))
    return 0;
  if (!slice["start"].is_null() || !slice["stop"].is_null()) return 0;
  if (slice["step"].is_null()) return 1;
  return slice["step"].is_number_integer() ? slice["step"].get<std::int64_t>() : 0;
}

}  // namespace

std::optional<ChannelSlice> ChannelSliceOf(const json& indices) {
  constexpr std::size_t kAxes = 4;
  if (!indices.is_array() || indices.size() < 2 || indices.size() > kAxes) return std::nullopt;
  const auto last_index = indices.end() - 1;
  const bool ellipsis = std::count_if(indices.begin(), last_index, IsEllipsis) == 1;
  const auto takes_all = [](const json& index) { return IsEllipsis(index) || StepOf(index) == 1; };
  if (!std::all_of(indices.begin(), last_index, takes_all) || (!ellipsis && indices.size() < kAxes))
    return std::nullopt;
  const json& last = *last_index;
  if (last.is_number_integer()) {
    const auto channel = last.get<std::int64_t>();
    if (channel < 0 || channel > 2) return std::nullopt;
    return ChannelSlice{.reversed = false, .channel = static_cast<int>(channel)};
  }
  const std::int64_t step = StepOf(last);
  if (step != 1 && step != -1) return std::nullopt;
  return ChannelSlice{.reversed = step == -1, .channel = -1};
}

}  // namespace mobilenet
