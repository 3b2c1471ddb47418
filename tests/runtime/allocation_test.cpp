// Runner::Run allocates nothing: this program counts what operator new is asked for.
#include <atomic>
#include <cstdlib>
#include <new>
#include <vector>

#include "gtest/gtest.h"
#include "mobilenet/runtime.h"

namespace {
std::atomic<long> allocations = 0;

void* Allocate(std::size_t size, std::size_t alignment) {
  ++allocations;
  void* memory = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
}  // namespace

void* operator new(std::size_t size) { return Allocate(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return Allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace mobilenet {
namespace {

TEST(Runner, RunAllocatesNothing) {
  const Network network = V1({.alpha = 0.25, .resolution = 96, .classes = 10});
  const long before_plan = allocations;
  const Plan plan(network, RandomWeights(network, 1));
  EXPECT_GT(allocations, before_plan);  // the counter works
  for (const int threads : {1, 2}) {
    Runner runner(plan, {.threads = threads});
    std::vector<float> input(96 * 96 * 3, 0.5F);
    std::vector<float> logits(10);
    std::vector<double> seconds(plan.steps().size());
    const long before = allocations;
    ASSERT_TRUE(runner.Run(input, logits));
    ASSERT_TRUE(runner.RunTimed(input, logits, seconds));
    EXPECT_EQ(allocations, before) << threads << " threads";
  }
}

}  // namespace
}  // namespace mobilenet
