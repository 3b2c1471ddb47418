// What the latency model learns from, and what it is checked with.
#pragma once

#include <cstddef>
#include <vector>

#include "mobilenet/fit.h"

namespace mobilenet {

// Networks of the versions that the grid has, as these options build them: small and large ones, so that each
// kind of step is among them in many sizes. They need be none that could be chosen.
std::vector<Recipe> SampleNetworks(const FitOptions& options, const std::vector<Candidate>& grid);

// Indices of others that could be chosen, some of each version, in each precision by turns.
std::vector<std::size_t> ChecksOf(const std::vector<Candidate>& grid, const std::vector<Recipe>& samples);

}  // namespace mobilenet
