// Runner::Run allocates nothing, and where memory runs out there is an Error: this program counts what
// operator new is asked for, and lets it fail.
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "complaint.h"
#include "forked.h"
#include "gmock/gmock.h"
#include "mobilenet/model.h"
#include "mobilenet/runtime.h"
#include "temporary_directory.h"

namespace {
std::atomic<long> allocations = 0;
// Of allocations of at least `counted` bytes, so many go well, and all others after them fail; -1: none does.
std::atomic<long> left = -1;
std::atomic<std::size_t> counted = 0;

void* Allocate(std::size_t size, std::size_t alignment) {
  ++allocations;
  if (left >= 0 && size >= counted && left-- == 0) {
    left = 0;
    throw std::bad_alloc();
  }
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

// Each allocation of `work` of at least `bytes` fails in turn, and all such after it. It must say so by an
// Error that names memory, until as many go well as it takes. (The message itself takes a little.)
template <typename Work>
void FailEachAllocation(std::size_t bytes, const Work& work) {
  long failed = 0;
  for (std::string complaint; complaint != "no error"; ++failed) {
    counted = bytes;
    left = failed;
    complaint = Complaint(work);
    left = -1;
    ASSERT_THAT(complaint, testing::AnyOf("no error", testing::HasSubstr("not enough memory")))
        << "allocation " << failed;
    ASSERT_LT(failed, 100'000);
  }
  EXPECT_GT(failed, 1);
}

constexpr std::size_t kMessage = 256;
// nlohmann's values take memory when they are destroyed, and end the process where there is none: what is
// smaller than this goes well.
constexpr std::size_t kJson = 16384;

// Maps small enough to be whole, and so large that they run depth first; in each precision.
TEST(Runner, RunAllocatesNothing) {
  for (const V1Options& options : {V1Options{.alpha = 0.25, .resolution = 96, .classes = 10},
                                   V1Options{.alpha = 0.5, .resolution = 192, .classes = 10}}) {
    const Network network = V1(options);
    const Weights weights = RandomWeights(network, 1);
    for (const Precision precision : {Precision::kFloat32, Precision::kBfloat16, Precision::kFloat16}) {
      for (const MemoryUse memory : {MemoryUse::kFast, MemoryUse::kLeast}) {
        const long before_plan = allocations;
        const Plan plan(network, weights, {.precision = precision, .memory = memory});
        EXPECT_GT(allocations, before_plan);  // the counter works
        for (const int threads : {1, 2}) {
          Runner runner(plan, {.threads = threads});
          std::vector<float> input(static_cast<std::size_t>(network.input.size()), 0.5F);
          std::vector<float> logits(10);
          std::vector<double> seconds(plan.steps().size());
          const long before = allocations;
          ASSERT_TRUE(runner.Run(input, logits));
          ASSERT_TRUE(runner.RunTimed(input, logits, seconds));
          EXPECT_EQ(allocations, before)
              << threads << " threads, " << NameOf(precision) << ", " << NameOf(memory) << " memory";
        }
      }
    }
  }
}

TEST(OutOfMemory, PlansAndRunnersSaySo) {
  const Network network = V1({.alpha = 0.01, .resolution = 32, .classes = 2});
  const Weights weights = RandomWeights(network, 1);
  FailEachAllocation(kMessage, [&] { Plan(network, weights); });
  const Plan plan(network, weights);
  FailEachAllocation(kMessage, [&] { Runner(plan, {.threads = 2}); });
}

TEST(OutOfMemory, LoadingAndSavingSaySoAndLeaveNoFile) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "model.safetensors";
  const Network network = V1({.alpha = 0.01, .resolution = 32, .classes = 2});
  const Model model = {network, RandomWeights(network, 1), {}, {"a", "b"}, {{"source", "a test"}}};
  const std::string name = file.string();
  long kept = 0;
  FailEachAllocation(kJson, [&] {
    try {
      model.Save(file);
    } catch (const Error&) {
      kept += access(name.c_str(), F_OK) == 0 ? 1 : 0;
      throw;
    }
  });
  EXPECT_EQ(kept, 0);
  FailEachAllocation(kJson, [&] { Model::LoadSafetensors(file); });
  FailEachAllocation(kJson, [&] { Model::LoadSafetensors(file, {.mapped = false}); });
}

// In a forked process that gets no memory for threads of its own, the caller does all the work.
TEST(OutOfMemory, APoolInAForkedProcessNeedsNone) {
  ThreadPool pool(3);
  const auto sum = [&pool] {
    std::atomic<int> total = 0;
    pool.Run(100, [&](int task, int) { total += task; });
    return total.load();
  };
  EXPECT_EQ(sum(), 4950);
  EXPECT_TRUE(HoldsInChild([&] {
    counted = 0;
    left = 0;
    return sum() == 4950 && sum() == 4950;
  }));
}

}  // namespace
}  // namespace mobilenet
