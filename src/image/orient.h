// Turning and mirroring a picture upright.
#pragma once

#include "mobilenet/image.h"

namespace mobilenet {

// `image` as EXIF orientation 1 to 8 asks for it: 2 mirrored, 3 turned by 180 degrees, 4 flipped, 5
// transposed, 6 turned by 90 degrees clockwise, 7 transposed along the other diagonal, 8 turned by 90
// counterclockwise. Any other number leaves it as it is.
Image Orient(Image image, int orientation);

}  // namespace mobilenet
