// Where a sliding window stands: padding and output size.
#pragma once

#include "mobilenet/network.h"

namespace mobilenet {

// Sets `layer.padding` and the height and width of `layer.output` from its kind, input, kernel and
// stride.
void PlaceWindow(PaddingStyle style, Layer& layer);

// Whether PlaceWindow would pad the layer as it is padded.
bool IsPaddedAs(PaddingStyle style, Layer layer);

}  // namespace mobilenet
