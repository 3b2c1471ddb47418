#include "network/memory_plan.h"

#include <cstdint>

#include "gmock/gmock.h"

namespace mobilenet {
namespace {

TEST(MemoryPlan, BuffersThatLiveTogetherNeverOverlap) {
  std::uint32_t state = 1;
  const auto random = [&](std::uint32_t below) {
    state = state * 1664525U + 1013904223U;
    return (state >> 8) % below;
  };
  for (int round = 0; round < 300; ++round) {
    std::vector<Lifetime> buffers(1 + random(20));
    for (Lifetime& b : buffers) {
      b.first = random(10);
      b.last = b.first + random(5);
      b.size = random(4) == 0 ? 0 : random(1000);
    }
    const MemoryPlan plan = PlanMemory(buffers);
    for (std::size_t i = 0; i < buffers.size(); ++i) {
      EXPECT_EQ(plan.offsets[i] % 64, 0U);
      EXPECT_LE(plan.offsets[i] + buffers[i].size, plan.size);
      for (std::size_t j = 0; j < i; ++j) {
        const bool together = buffers[i].first <= buffers[j].last && buffers[j].first <= buffers[i].last;
        const bool apart = plan.offsets[i] + buffers[i].size <= plan.offsets[j] ||
                           plan.offsets[j] + buffers[j].size <= plan.offsets[i];
        EXPECT_TRUE(!together || apart) << round;
      }
    }
  }
}

TEST(MemoryPlan, AChainTakesItsLargestPair) {
  const std::vector<Lifetime> chain = {{640, 0, 1}, {1280, 1, 2}, {256, 2, 3}, {512, 3, 4}};
  EXPECT_EQ(PlanMemory(chain).size, 1920U);
}

TEST(MemoryPlan, FillsTheGapBetweenTwo) {
  const std::vector<Lifetime> buffers = {{400, 0, 9}, {256, 0, 4}, {384, 5, 9}, {64, 3, 3}};
  EXPECT_EQ(PlanMemory(buffers).size, 448U + 384U);
}

TEST(MemoryPlan, OfNothingIsEmpty) { EXPECT_EQ(PlanMemory({}).size, 0U); }

}  // namespace
}  // namespace mobilenet
