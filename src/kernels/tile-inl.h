// How many rows of a product a tile holds in registers, on each target: with two registers of columns for
// each row, two for the other factor and one for the value that is broadcast, 14 x 2 of AVX-512's 32
// registers, 6 x 2 of the 16 of AVX2 and SSE4. NEON has 32 too, but no operand in memory: 8 x 2, and four
// values of each of the 8 rows.
#if defined(MOBILENET_TILE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MOBILENET_TILE_INL_H
#undef MOBILENET_TILE_INL_H
#else
#define MOBILENET_TILE_INL_H
#endif

#include <cstddef>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace mobilenet::HWY_NAMESPACE {

#if HWY_TARGET == HWY_AVX3
constexpr std::size_t kTileRows = 14;
#elif HWY_TARGET == HWY_NEON
constexpr std::size_t kTileRows = 8;
#else
constexpr std::size_t kTileRows = 6;
#endif

}  // namespace mobilenet::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
