// How large the pictures in a HEIF file are for their codecs, and how much there is to decode. What the file
// says of itself may be less: libheif and the codecs take memory for what the coded data says, and libheif
// decodes a tile anew wherever a grid names it.
#pragma once

#include <cstdint>
#include <span>

namespace mobilenet {

// Of work: more than any picture takes.
inline constexpr std::uint64_t kEndless = std::uint64_t{1} << 62;

struct CodedSize {
  // The pixels of the largest coded picture, by the parameters of HEVC (in hvcC, and in items of type hvc1)
  // and AV1 (in av1C, and in items of type av01). 0 where there are none, where an item of type av01 has
  // none, or the file is damaged.
  std::uint64_t largest = 0;
  // The pixels that are decoded, laid on canvases and turned until the primary picture is there, each as
  // often as that is done; so few that a decoder hardly begins count as 128 x 128. kEndless where a picture
  // is made of itself or in very many steps, and where items name the same data over and over: libheif copies
  // what each of them names as it opens the file.
  std::uint64_t work = 0;
};

CodedSize CodedSizeOf(std::span<const std::uint8_t> file);

}  // namespace mobilenet
