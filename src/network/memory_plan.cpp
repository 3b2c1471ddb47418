#include "network/memory_plan.h"

#include <algorithm>
#include <numeric>

#include "base/aligned.h"

namespace mobilenet {

MemoryPlan PlanMemory(std::span<const Lifetime> buffers) {
  const auto rounded = [](std::size_t size) { return (size + kCacheLine - 1) / kCacheLine * kCacheLine; };

  std::vector<std::size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order,
                           [&](std::size_t a, std::size_t b) { return buffers[a].size > buffers[b].size; });

  MemoryPlan plan;
  plan.offsets.resize(buffers.size());
  std::vector<std::size_t> placed;  // sorted by offset
  for (const std::size_t i : order) {
    const std::size_t size = rounded(buffers[i].size);
    std::size_t offset = 0;
    for (const std::size_t j : placed) {
      const bool together = buffers[j].first <= buffers[i].last && buffers[i].first <= buffers[j].last;
      if (!together) continue;
      if (offset + size <= plan.offsets[j]) break;  // fits in the gap before j
      offset = std::max(offset, plan.offsets[j] + rounded(buffers[j].size));
    }
    plan.offsets[i] = offset;
    plan.size = std::max(plan.size, offset + size);
    const auto after =
        std::ranges::upper_bound(placed, offset, {}, [&](std::size_t j) { return plan.offsets[j]; });
    placed.insert(after, i);
  }
  return plan;
}

}  // namespace mobilenet
