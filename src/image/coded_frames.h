// How many pictures there are in data coded with HEVC or AV1, and how large they are.
#pragma once

#include <cstdint>

#include "image/bit_reader.h"

namespace mobilenet {

struct CodedFrames {
  std::uint64_t pixels = 0;  // of the largest, by the parameters; 0: there are none
  std::uint64_t frames = 0;  // that a decoder decodes, shown or not
};

// An item of type hvc1: NAL units behind lengths of four bytes, which libheif expects.
CodedFrames FramesOfNals(Bytes data);
// The parameter sets of a property hvcC.
CodedFrames FramesOfHvcc(Bytes content);
// Open bitstream units of AV1, as they are in an item of type av01.
CodedFrames FramesOfObus(Bytes data);

}  // namespace mobilenet
