// What Keras files write down of `x[..., ::-1]` and its like.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>

namespace mobilenet {

// What is taken of the channels: all in their order, all in the other one, or the one of this number.
struct ChannelSlice {
  bool reversed = false;
  int channel = -1;  // all
};

// Of the indices between the brackets, of which those of images, rows and columns must take all. Nothing for
// anything else.
std::optional<ChannelSlice> ChannelSliceOf(const nlohmann::json& indices);

}  // namespace mobilenet
