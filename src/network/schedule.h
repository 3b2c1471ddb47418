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

// The steps [first, last]. More than one run depth first: one row of the last one's output at a time, and of
// the maps before it the rows that it needs. So the large early maps are never whole, and stay in the cache.
struct StepGroup {
  std::size_t first;
  std::size_t last;
};

constexpr std::size_t kLongestGroup = 8;  // steps

// A depthwise step joins the group of the step before it where it alone reads the map between them and that
// is large, or for the least memory where that makes the arena smaller; everything else begins a group.
std::vector<StepGroup> GroupSteps(const Network& network, std::span<const StepLayers> steps,
                                  MemoryUse memory = MemoryUse::kFast);

// How a step's rows depend on its input's.
struct RowWindow {
  int kernel;
  int stride;
  int padding_top;
  int input_height;
  int output_height;
};

RowWindow RowWindowOf(const Layer& layer);

// For each of a group's steps, how many rows must be there once the last step has `rows` of them: a
// convolution reads the rows of its input up to its window's last.
void RowsNeeded(std::span<const RowWindow> windows, int rows, std::span<int> needed);

// For each of a group's steps, the first row that row `row` of the last step reaches back to.
void FirstRows(std::span<const RowWindow> windows, int row, std::span<int> first);

// Floats from one pixel of a map inside of a plan to the next: the channels, and a cache line more where
// pixels a multiple of 1 KiB apart would compete for the same few lines of the cache.
std::size_t PixelPitch(int channels);

// Where a step's output is kept: all its rows, at an offset in the arena; or, inside of a group, the last
// `rows` of them, row y at y % rows, at an offset in the group's block of rows.
struct MapPlace {
  std::size_t offset = 0;  // in values
  int rows = 0;
};

// Where the rows of a group's inner maps are kept, in values.
struct RowBlock {
  std::size_t offset = 0;
  std::size_t size = 0;
};

// A place for each step's output, a block for each group, and the size of all in values. Threads that work on
// a group at the same time each need a block of their own: the arena has one. The network's output is the
// caller's memory and takes none here, as its input does not appear.
struct Arena {
  std::vector<MapPlace> places;
  std::vector<RowBlock> blocks;
  std::size_t size = 0;
};

Arena PlaceMaps(const Network& network, std::span<const StepLayers> steps, std::span<const StepGroup> groups);

}  // namespace mobilenet
