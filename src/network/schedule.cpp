#include "network/schedule.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/aligned.h"
#include "network/kinds.h"
#include "network/memory_plan.h"

namespace mobilenet {
namespace {

// Maps of more bytes than this are worth streaming: they don't stay in a core's second cache of 1 or 2 MB
// together with the weights and the other map of their step.
constexpr std::size_t kLargeMap = 900'000;

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

// For each layer that is a part of another one's step, that layer.
std::vector<std::optional<std::size_t>> HostsOf(const Network& network) {
  const std::vector<int> readers = ReadersOf(network);
  std::vector<std::optional<std::size_t>> hosts(network.layers.size());
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const Layer& layer = network.layers[i];
    // The input that comes last: the other summand is there before it.
    const int from = *std::ranges::max_element(layer.inputs);
    if (from == kNetworkInput || readers[from] != 1) continue;
    const auto before = static_cast<std::size_t>(from);
    const LayerKind kind = network.layers[before].kind;
    if (layer.kind == LayerKind::kPointwise && kind == LayerKind::kDepthwise) hosts[before] = i;
    if (layer.kind == LayerKind::kAdd && TraitsOf(kind).mixes &&
        network.layers[before].activation == Activation::kNone)
      hosts[i] = before;
  }
  return hosts;
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
std::vector<bool> MayJoin(const Network& network, const Schedule& schedule) {
  const std::vector<int> readers = ReadersOf(network);
  std::vector<bool> may(schedule.steps.size());
  for (std::size_t s = 1; s < schedule.steps.size(); ++s) {
    const LayerKind kind = network.layers[schedule.steps[s].first()].kind;
    may[s] = (kind == LayerKind::kDepthwise || kind == LayerKind::kPointwise) &&
             readers[schedule.steps[s - 1].last()] == 1 &&
             schedule.steps[s].inputs.front() == static_cast<int>(s) - 1;
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

std::size_t InLines(std::size_t bytes) { return (bytes + kCacheLine - 1) / kCacheLine * kCacheLine; }

// Decides which rows each map of a group keeps, and where in the group's block its inner maps lie.
void PlaceGroup(std::size_t g, Schedule& schedule) {
  const auto [first, last] = schedule.groups[g];
  const std::vector<int> kept = RowsKept(std::span(schedule.windows).subspan(first, last - first + 1));
  std::size_t block = 0;
  for (std::size_t s = first; s <= last; ++s) {
    Map& map = schedule.maps[s];
    map.place = {s != last, block, kept[s - first]};
    if (map.place.inner) block += InLines(map.pitch() * map.shape.width * map.place.rows);
  }
  schedule.blocks[g].size = block;
}

// Sets `groups`, and a place for each map and block.
void PlaceMaps(std::vector<StepGroup> groups, Schedule& schedule) {
  const std::size_t steps = schedule.steps.size();
  schedule.groups = std::move(groups);
  schedule.blocks.resize(schedule.groups.size());
  std::vector<std::size_t> group_of(steps);
  // The maps that outlive their group, by step, and after them each group's block.
  std::vector<Lifetime> lives(steps + schedule.groups.size(), Lifetime{0, 0, 0});
  for (std::size_t g = 0; g < schedule.groups.size(); ++g) {
    PlaceGroup(g, schedule);
    for (std::size_t s = schedule.groups[g].first; s <= schedule.groups[g].last; ++s) group_of[s] = g;
    const std::size_t last = schedule.groups[g].last;
    const Map& map = schedule.maps[last];
    const std::size_t bytes = map.pitch() * map.shape.width * map.shape.height;
    lives[last] = {last == schedule.output ? 0 : bytes, g, g};
    lives[steps + g] = {schedule.blocks[g].size, g, g};
  }
  for (std::size_t s = 0; s < steps; ++s) {
    for (const int input : schedule.steps[s].inputs) {
      if (input != kNetworkInput) lives[input].last = std::max(lives[input].last, group_of[s]);
    }
  }
  const MemoryPlan memory = PlanMemory(lives);
  for (std::size_t g = 0; g < schedule.groups.size(); ++g) {
    schedule.maps[schedule.groups[g].last].place.offset = memory.offsets[schedule.groups[g].last];
    schedule.blocks[g].offset = memory.offsets[steps + g];
  }
  schedule.arena_bytes = memory.size;
}

// From the joins that are fastest, one join more or less at a time as long as that takes less memory.
std::vector<bool> JoinsOfLeastMemory(Schedule schedule, const std::vector<bool>& may,
                                     std::vector<bool> joins) {
  const auto taken = [&](const std::vector<bool>& with) {
    PlaceMaps(GroupsOf(with), schedule);
    return schedule.arena_bytes;
  };
  const std::size_t steps = joins.size();
  std::size_t least = taken(joins);
  for (bool better = true; better;) {
    better = false;
    for (std::size_t s = 1; s < steps; ++s) {
      if (!may[s]) continue;
      // To the end from here, too: a map costs the more the longer its group goes on behind it.
      for (const std::size_t end : {s + 1, std::min(s + 3, steps), steps}) {
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

// The steps that join the one before them.
std::vector<bool> JoinsOf(const Network& network, const Schedule& schedule, MemoryUse memory) {
  const std::vector<bool> may = MayJoin(network, schedule);
  std::vector<bool> joins = may;
  for (std::size_t s = 1; s < joins.size(); ++s) {
    const Map& before = schedule.maps[s - 1];
    joins[s] = may[s] && static_cast<std::size_t>(before.shape.size()) * SizeOf(before.format) >= kLargeMap;
  }
  switch (memory) {
    case MemoryUse::kFast:
      break;
    case MemoryUse::kLeast:
      return JoinsOfLeastMemory(schedule, may, std::move(joins));
  }
  return joins;
}

RowWindow RowWindowOf(const Layer& layer) {
  return {layer.kernel, layer.stride.down, layer.padding.top, layer.input.height, layer.output.height};
}

}  // namespace

std::string SeparableName(const Layer& depthwise) {
  constexpr std::string_view kEnd = ".depthwise";
  std::string name = depthwise.name;
  if (name.ends_with(kEnd)) name.resize(name.size() - kEnd.size());
  return name;
}

std::vector<StepLayers> StepsOf(const Network& network) {
  const auto hosts = HostsOf(network);
  std::vector<StepLayers> steps;
  std::vector<std::size_t> step_of(network.layers.size());
  std::vector<std::optional<std::size_t>> rows(network.layers.size());
  std::vector<std::optional<std::size_t>> sums(network.layers.size());
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    if (!hosts[i]) continue;
    (network.layers[i].kind == LayerKind::kAdd ? sums : rows)[*hosts[i]] = i;
  }
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    if (hosts[i]) continue;
    StepLayers& step = steps.emplace_back(StepLayers{rows[i], i, sums[i], {}});
    step_of[step.first()] = step_of[i] = step_of[step.last()] = steps.size() - 1;
    const auto read = [&](int layer) {
      step.inputs.push_back(layer == kNetworkInput ? kNetworkInput : static_cast<int>(step_of[layer]));
    };
    for (const int layer : network.layers[step.first()].inputs) read(layer);
    if (!step.sum) continue;
    for (const int layer : network.layers[*step.sum].inputs) {
      if (layer != static_cast<int>(i)) read(layer);
    }
  }
  return steps;
}

Schedule ScheduleOf(const Network& network, MemoryUse memory) {
  Schedule schedule;
  schedule.steps = StepsOf(network);
  for (std::size_t s = 0; s < schedule.steps.size(); ++s) {
    const StepLayers& step = schedule.steps[s];
    schedule.windows.push_back(RowWindowOf(network.layers[step.first()]));
    schedule.maps.push_back({network.layers[step.last()].output, Format::kFloat32, {}});
    if (step.last() + 1 == network.layers.size()) schedule.output = s;
  }
  PlaceMaps(GroupsOf(JoinsOf(network, schedule, memory)), schedule);
  return schedule;
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

std::size_t PixelPitch(int channels, Format format) {
  constexpr std::size_t kAlias = 1024;
  const std::size_t bytes = static_cast<std::size_t>(channels) * SizeOf(format);
  return bytes % kAlias == 0 ? bytes + kCacheLine : bytes;
}

}  // namespace mobilenet
