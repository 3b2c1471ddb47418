// In which order a network runs, and how much of each feature map is kept. Plans and the cost model agree
// through this.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "mobilenet/network.h"
#include "network/memory_plan.h"

namespace mobilenet {

// The layers [first, last] that one step runs.
struct StepLayers {
  std::size_t first;
  std::size_t last;
};

// One layer a step, except that a depthwise layer joins the pointwise one behind it where nobody else reads
// what lies between: that map is never written.
std::vector<StepLayers> FuseLayers(const Network& network);

// The steps [first, last]. More than one run depth first: a few rows of the last one's output at a time, and
// of the maps before it the rows that those need. So the large early maps are never whole, and stay in the
// cache.
struct StepGroup {
  std::size_t first;
  std::size_t last;
};

// A depthwise step joins the group of the step before it where it alone reads the map between them and that
// is large; everything else begins a group.
std::vector<StepGroup> GroupSteps(const Network& network, std::span<const StepLayers> steps);

// How a step's rows depend on its input's.
struct RowWindow {
  int kernel;
  int stride;
  int padding_top;
  int input_height;
  int output_height;
};

RowWindow RowWindowOf(const Layer& layer);

// Rows of the last output of a group that are made in one band, at most.
constexpr int kBandRows = 2;

// How many rows there are after the next band of `band_rows`. The first band is a single row: it needs the
// rows above and those below, and would be what the most rows of the maps before it are kept for.
int AfterNextBand(int rows, int band_rows, int height);

// For each of a group's steps, how many rows must be there once the last step has `rows` of them: a
// convolution reads the rows of its input up to its window's last.
void RowsNeeded(std::span<const RowWindow> windows, int rows, std::span<int> needed);

// Floats from one pixel of a map inside of a plan to the next: the channels, and a cache line more where
// pixels a multiple of 1 KiB apart would compete for the same few lines of the cache.
std::size_t PixelPitch(int channels);

// Where a step's output is kept: all its rows, or the last `rows` of them, row y at y % rows.
struct MapPlace {
  std::size_t offset = 0;  // in values from the arena's start
  int rows = 0;
};

// A place for each step's output, and the arena's size in values. The network's output is the caller's memory
// and takes none here, as its input does not appear.
struct Arena {
  std::vector<MapPlace> places;
  std::size_t size = 0;
};

Arena PlaceMaps(const Network& network, std::span<const StepLayers> steps, std::span<const StepGroup> groups);

}  // namespace mobilenet
