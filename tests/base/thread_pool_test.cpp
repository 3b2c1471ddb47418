#include "base/thread_pool.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "complaint.h"
#include "forked.h"
#include "gmock/gmock.h"

namespace mobilenet {
namespace {

TEST(ThreadPool, RunsEachTaskOnceOnThreadsThatExist) {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (int round = 0; round < 200; ++round) {
      const int tasks = round % 23;
      std::vector<int> runs(static_cast<std::size_t>(tasks), 0);
      std::atomic<bool> known = true;
      pool.Run(tasks, [&](int task, int thread) {
        ++runs[task];
        if (thread < 0 || thread >= threads) known = false;
      });
      EXPECT_THAT(runs, testing::Each(1));
      EXPECT_TRUE(known);
    }
  }
}

TEST(ThreadPool, WakesThreadsThatWentToSleep) {
  ThreadPool pool(3);
  for (int round = 0; round < 5; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    std::atomic<int> sum = 0;
    pool.Run(100, [&](int task, int) { sum += task; });
    EXPECT_EQ(sum, 4950);
  }
}

TEST(ThreadPool, WhatTasksWroteIsSeenAfterwards) {
  ThreadPool pool(4);
  std::vector<int> values(1000, 1);
  for (int round = 0; round < 50; ++round) {
    pool.Run(1000, [&](int task, int) { values[task] += values[task] % 7; });
  }
  int expected = 1;
  for (int round = 0; round < 50; ++round) expected += expected % 7;
  EXPECT_THAT(values, testing::Each(expected));
}

TEST(ThreadPool, RefusesNumbersOutOfRange) {
  for (const int threads : {-1, 0, 257}) {
    EXPECT_THAT(Complaint([&] { ThreadPool pool(threads); }), testing::HasSubstr("expected 1 to 256"));
    EXPECT_THAT(Complaint([&] { CheckThreads(threads); }), testing::HasSubstr(std::to_string(threads)));
  }
  EXPECT_NO_THROW(CheckThreads(256));
}

// (Named apart from the others: ThreadSanitizer allows no threads in a forked process.)
TEST(Fork, APoolWorksInTheChildToo) {
  ThreadPool pool(3);
  const auto sum = [&pool] {
    std::atomic<int> total = 0;
    pool.Run(100, [&](int task, int) { total += task; });
    return total.load();
  };
  EXPECT_EQ(sum(), 4950);
  EXPECT_TRUE(HoldsInChild([&] { return sum() == 4950 && sum() == 4950; }));
  // And in a process of that process.
  EXPECT_TRUE(HoldsInChild([&] { return HoldsInChild([&] { return sum() == 4950; }) && sum() == 4950; }));
  auto other = std::make_unique<ThreadPool>(2);
  EXPECT_TRUE(HoldsInChild([&] {
    other.reset();
    return true;
  })) << "a pool that came along is destroyed without its threads";
  EXPECT_EQ(sum(), 4950);
}

}  // namespace
}  // namespace mobilenet
