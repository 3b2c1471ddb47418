// The networks that a choice is made from.
#pragma once

#include <array>

#include "mobilenet/fit.h"

namespace mobilenet {

// A network in one precision with all that is counted of it; its accuracy and times are left out.
Candidate CountedCandidate(const Recipe& recipe, Precision precision, MemoryUse memory);

// The two that networks are tried in: float32 and SixteenBits().
const std::array<Precision, 2>& FitPrecisions();

// How plans are made for these limits.
MemoryUse MemoryUseFor(const Limits& limits);

}  // namespace mobilenet
