// Which of Highway's targets this processor and its operating system can run.
//
// Asked of the compiler's runtime rather than of libhwy: with that, Highway is headers only and nothing of it
// is linked. (Loading libhwy.so also costs every process 4 ms, for a static object that calibrates a timer.)
#pragma once

#include <cstdint>

namespace mobilenet {

// Highway's bits (hwy/detect_targets.h), of the targets that kernels.cpp compiles; the portable one always.
std::int64_t SupportedTargets();

// Whether there are dot products of bfloat16 pairs beside AVX-512 (AVX512_BF16) or NEON (FEAT_BF16; asked of
// Linux alone).
bool HasBf16Dot();
// Whether there is arithmetic of half precision (AVX512_FP16, or MOBILENET_EMULATE_F16 does without;
// FEAT_FP16).
bool HasF16();

}  // namespace mobilenet
