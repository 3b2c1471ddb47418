#include "network/schedule.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace mobilenet {
namespace {

// Maps of more values than this are worth streaming: 1 MB in float32, which does not stay in a core's second
// cache of 1 or 2 MB together with the weights and the other map of its step.
constexpr std::int64_t kLargeMap = 250'000;

// Memory is planned in cache lines.
constexpr std::size_t kLineValues = 64 / sizeof(float);

// How many layers read each layer's output.
std::vector<int> ReadersOf(const Network& network) {
  std::vector<int> readers(network.layers.size(), 0);
  for (const Layer& layer : network.layers) {
    for (const int input : layer.inputs) {
      if (input != kNetworkInput) ++readers[input];
    }
  }
  return readers;
}

// How many rows of each step's output a group must keep, wherever it begins: those that are read while the
// next step makes the rows that one more row of the last step needs.
std::vector<int> RowsKept(std::span<const RowWindow> windows) {
  std::vector<int> kept(windows.size(), 0);
  std::vector<int> made(windows.size(), 0);
  std::vector<int> needed(windows.size(), 0);
  const int height = windows.back().output_height;
  const auto keep = [&](int rows) {
    RowsNeeded(windows, rows, needed);
    for (std::size_t i = 0; i + 1 < windows.size(); ++i) {
      const RowWindow& reader = windows[i + 1];
      const int first = std::max(0, made[i + 1] * reader.stride - reader.padding_top);
      kept[i] = std::max(kept[i], needed[i] - first);
    }
    made = needed;
  };
  for (int row = 0; row < height; ++row) {
    FirstRows(windows, row, made);
    keep(row + 1);                         // as the first row of a thread
    if (row + 2 <= height) keep(row + 2);  // and as one that others went before
  }
  kept.back() = height;
  return kept;
}

// For each step, whether it may join the group of the one before it.
std::vector<bool> MayJoin(const Network& network, std::span<const StepLayers> steps) {
  const std::vector<int> readers = ReadersOf(network);
  std::vector<bool> may(steps.size());
  for (std::size_t s = 1; s < steps.size(); ++s) {
    const std::size_t written = steps[s - 1].last;
    const Layer& layer = network.layers[steps[s].first];
    may[s] = layer.kind == LayerKind::kDepthwise && readers[written] == 1 &&
             layer.inputs == std::vector<int>{static_cast<int>(written)};
  }
  return may;
}

// The groups where the steps that `joins` names join the one before them, as long as groups are not too long.
std::vector<StepGroup> GroupsOf(const std::vector<bool>& joins) {
  std::vector<StepGroup> groups;
  for (std::size_t s = 0; s < joins.size(); ++s) {
    if (joins[s] && groups.back().last - groups.back().first + 1 < kLongestGroup) {
      groups.back().last = s;
    } else {
      groups.push_back({s, s});
    }
  }
  return groups;
}

// From the joins that are fastest, one join more or less at a time as long as that takes less memory.
std::vector<bool> JoinsOfLeastMemory(const Network& network, std::span<const StepLayers> steps,
                                     const std::vector<bool>& may, std::vector<bool> joins) {
  const auto taken = [&](const std::vector<bool>& with) {
    return PlaceMaps(network, steps, GroupsOf(with)).size;
  };
  std::size_t least = taken(joins);
  for (bool better = true; better;) {
    better = false;
    for (std::size_t s = 1; s < steps.size(); ++s) {
      if (!may[s]) continue;
      // To the end from here, too: a map costs the more the longer its group goes on behind it.
      for (const std::size_t end : {s + 1, std::min(s + 3, steps.size()), steps.size()}) {
        std::vector<bool> others = joins;
        for (std::size_t i = s; i < end; ++i) others[i] = may[i] && !joins[s];
        const std::size_t size = taken(others);
        if (size >= least) continue;
        least = size;
        joins = std::move(others);
        better = true;
      }
    }
  }
  return joins;
}

}  // namespace

std::vector<StepLayers> FuseLayers(const Network& network) {
  const std::vector<int> readers = ReadersOf(network);
  std::vector<StepLayers> steps;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const bool fused = i + 1 < network.layers.size() && network.layers[i].kind == LayerKind::kDepthwise &&
                       network.layers[i + 1].kind == LayerKind::kPointwise &&
                       network.layers[i + 1].inputs == std::vector<int>{static_cast<int>(i)} &&
                       readers[i] == 1;
    steps.push_back({i, fused ? i + 1 : i});
    if (fused) ++i;
  }
  return steps;
}

std::vector<StepGroup> GroupSteps(const Network& network, std::span<const StepLayers> steps,
                                  MemoryUse memory) {
  const std::vector<bool> may = MayJoin(network, steps);
  std::vector<bool> joins = may;
  for (std::size_t s = 1; s < steps.size(); ++s)
    joins[s] = may[s] && network.layers[steps[s - 1].last].output.size() >= kLargeMap;
  switch (memory) {
    case MemoryUse::kFast:
      break;
    case MemoryUse::kLeast:
      joins = JoinsOfLeastMemory(network, steps, may, std::move(joins));
      break;
  }
  return GroupsOf(joins);
}

RowWindow RowWindowOf(const Layer& layer) {
  return {layer.kernel, layer.stride, layer.padding.top, layer.input.height, layer.output.height};
}

void RowsNeeded(std::span<const RowWindow> windows, int rows, std::span<int> needed) {
  for (std::size_t i = windows.size(); i-- > 0;) {
    needed[i] = rows;
    const RowWindow& w = windows[i];
    if (rows > 0) rows = std::clamp((rows - 1) * w.stride - w.padding_top + w.kernel, 0, w.input_height);
  }
}

void FirstRows(std::span<const RowWindow> windows, int row, std::span<int> first) {
  for (std::size_t i = windows.size(); i-- > 0;) {
    first[i] = row;
    row = std::max(0, row * windows[i].stride - windows[i].padding_top);
  }
}

std::size_t PixelPitch(int channels) {
  constexpr std::size_t kAlias = 1024 / sizeof(float);
  const auto values = static_cast<std::size_t>(channels);
  return values % kAlias == 0 ? values + kLineValues : values;
}

Arena PlaceMaps(const Network& network, std::span<const StepLayers> steps,
                std::span<const StepGroup> groups) {
  Arena arena;
  arena.places.resize(steps.size());
  std::vector<std::size_t> group_of(steps.size());
  std::vector<std::size_t> writer(network.layers.size());  // the step that writes a layer's output
  // The maps that outlive their group, by step, and after them each group's block.
  std::vector<Lifetime> lives(steps.size() + groups.size(), Lifetime{0, 0, 0});
  for (std::size_t g = 0; g < groups.size(); ++g) {
    std::vector<RowWindow> windows;
    for (std::size_t s = groups[g].first; s <= groups[g].last; ++s) {
      group_of[s] = g;
      writer[steps[s].last] = s;
      windows.push_back(RowWindowOf(network.layers[steps[s].first]));
    }
    const std::vector<int> kept = RowsKept(windows);
    std::size_t block = 0;
    for (std::size_t s = groups[g].first; s <= groups[g].last; ++s) {
      const Shape& shape = network.layers[steps[s].last].output;
      MapPlace& place = arena.places[s];
      place.rows = kept[s - groups[g].first];
      const std::size_t values = PixelPitch(shape.channels) * shape.width * place.rows;
      if (s == groups[g].last) {
        lives[s] = {s + 1 == steps.size() ? 0 : values, g, g};
      } else {
        place.offset = block;
        block += (values + kLineValues - 1) / kLineValues * kLineValues;
      }
    }
    lives[steps.size() + g] = {block, g, g};
  }
  for (std::size_t s = 0; s < steps.size(); ++s) {
    for (const int input : network.layers[steps[s].first].inputs) {
      if (input != kNetworkInput) lives[writer[input]].last = group_of[s];
    }
  }
  // PlanMemory rounds to lines of 64 of its units, here values: a little more than needed, for every
  // precision.
  const MemoryPlan memory = PlanMemory(lives);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    arena.places[groups[g].last].offset = memory.offsets[groups[g].last];
    arena.blocks.push_back({memory.offsets[steps.size() + g], lives[steps.size() + g].size});
  }
  arena.size = memory.size;
  return arena;
}

}  // namespace mobilenet
