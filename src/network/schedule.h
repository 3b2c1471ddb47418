// In which steps a network runs, in which order, and how much of each feature map is kept where. Plans, costs
// and the latency model all read this one list.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/format.h"
#include "mobilenet/network.h"

namespace mobilenet {

// The layers that run at once, so that what lies between them is never a map: a layer, before it perhaps a
// depthwise one whose rows it takes, and behind it perhaps a sum that is its end. Each step writes one map,
// which goes by the step's index.
struct StepLayers {
  std::optional<std::size_t> rows;  // the depthwise layer
  std::size_t main = 0;
  std::optional<std::size_t> sum;
  // The maps that it reads: first that of its first layer (of a sum by itself both), last what `sum` adds.
  // Each is the step that writes it, or kNetworkInput.
  std::vector<int> inputs;

  [[nodiscard]] std::size_t first() const { return rows.value_or(main); }
  [[nodiscard]] std::size_t last() const { return sum.value_or(main); }
};

// A depthwise layer is the rows of the pointwise one that alone reads it. A sum is the end of a layer with
// weights and without an activation that it alone reads, if the other summand is there by then.
std::vector<StepLayers> StepsOf(const Network& network);

// What a depthwise layer and the pointwise one that reads it are called together: "block3" for that of
// "block3.depthwise". V4's blocks have another one before, which keeps its name, "block3.start".
std::string SeparableName(const Layer& depthwise);

// The steps [first, last]. More than one run depth first: one row of the last one's output at a time, and of
// the maps before it the rows that it needs. So the large early maps are never whole, and stay in the cache.
struct StepGroup {
  std::size_t first;
  std::size_t last;
};

constexpr std::size_t kLongestGroup = 8;  // steps

// How a step's rows depend on its input's.
struct RowWindow {
  int kernel;
  int stride;
  int padding_top;
  int input_height;
  int output_height;
};

// For each of a group's steps, how many rows must be there once the last step has `rows` of them: a
// convolution reads the rows of its input up to its window's last.
void RowsNeeded(std::span<const RowWindow> windows, int rows, std::span<int> needed);

// For each of a group's steps, the first row that row `row` of the last step reaches back to.
void FirstRows(std::span<const RowWindow> windows, int row, std::span<int> first);

// Bytes from one pixel of a map in a plan, or from one row of a product, to the next: `channels` values, and
// a cache line more where pixels a multiple of 1 KiB apart would compete for the same few lines of the cache.
std::size_t PixelPitch(int channels, Format format = Format::kFloat32);

// Where a map lies: all its rows, at an offset in the arena; or, inside of a group, the last `rows` of them,
// row y at y % rows, at an offset in the group's block of rows.
struct MapPlace {
  bool inner = false;
  std::size_t offset = 0;  // in bytes
  int rows = 0;
};

// A feature map as a step writes it.
struct Map {
  Shape shape;
  Format format = Format::kFloat32;
  MapPlace place;

  [[nodiscard]] std::size_t pitch() const { return PixelPitch(shape.channels, format); }
};

// Where the rows of a group's inner maps are kept, in bytes of the arena.
struct RowBlock {
  std::size_t offset = 0;
  std::size_t size = 0;
};

// Threads that work on a group at the same time each need a block of their own: the arena has one. The
// network's output is the caller's memory and takes none here, as its input does not appear.
struct Schedule {
  std::vector<StepLayers> steps;
  std::vector<RowWindow> windows;  // of each step's first layer
  std::vector<Map> maps;           // one for each step
  std::vector<StepGroup> groups;
  std::vector<RowBlock> blocks;  // one for each group
  std::size_t output = 0;        // the step whose map is the network's output
  std::size_t arena_bytes = 0;
};

// A step whose window slides, or that reads single pixels, joins the group of the step before it where it
// alone reads the map between them and that is large, or for the least memory where that makes the arena
// smaller; everything else begins a group. For a network that CheckNetwork passes.
Schedule ScheduleOf(const Network& network, MemoryUse memory = MemoryUse::kFast);

}  // namespace mobilenet
