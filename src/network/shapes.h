// What layers make of their input's shape.
#pragma once

#include "mobilenet/network.h"

namespace mobilenet {

// Sets `layer.padding` and the height and width of `layer.output` from its input, kernel and stride.
void PlaceWindow(PaddingStyle style, Layer& layer);

// The output that follows from a layer's input, kernel, stride and padding; layers that mix channels may have
// any number of them, that of `layer.output`. A side below 1 where the window is larger than the map.
Shape OutputOf(const Layer& layer);

}  // namespace mobilenet
