// Many pictures at once: each worker takes a whole picture, so that one decodes while another runs.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/thread_pool.h"

namespace mobilenet {

// Results on their way from the workers to the caller, in order. Workers wait where they are too far ahead.
template <typename Result>
class OrderedResults {
 public:
  OrderedResults(std::size_t count, std::size_t ahead) : slots_(count), ahead_(ahead) {}

  // The next picture to work on; none where all are taken or the caller gave up.
  std::optional<std::size_t> Take() {
    std::unique_lock lock(mutex_);
    moved_.wait(lock, [&] { return stopped_ || taken_ >= slots_.size() || taken_ < delivered_ + ahead_; });
    if (stopped_ || taken_ >= slots_.size()) return std::nullopt;
    return taken_++;
  }

  void Put(Result result) {
    const std::lock_guard lock(mutex_);
    slots_[result.index] = std::move(result);
    moved_.notify_all();
  }

  Result Next() {
    std::unique_lock lock(mutex_);
    moved_.wait(lock, [&] { return slots_[delivered_].has_value(); });
    Result result = std::move(*slots_[delivered_]);
    slots_[delivered_++].reset();
    moved_.notify_all();
    return result;
  }

  void Stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    moved_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable moved_;
  std::vector<std::optional<Result>> slots_;
  std::size_t ahead_;
  std::size_t taken_ = 0;
  std::size_t delivered_ = 0;
  bool stopped_ = false;
};

// Stops and joins the workers however the caller's loop ends.
template <typename Result>
class OrderedWorkers {
 public:
  explicit OrderedWorkers(OrderedResults<Result>& results) : results_(results) {}
  ~OrderedWorkers() {
    results_.Stop();
    for (std::thread& thread : threads_) thread.join();
  }
  OrderedWorkers(const OrderedWorkers&) = delete;
  OrderedWorkers& operator=(const OrderedWorkers&) = delete;

  template <typename Work>
  void Start(Work work) {
    threads_.emplace_back(std::move(work));
  }

 private:
  OrderedResults<Result>& results_;
  std::vector<std::thread> threads_;
};

// Calls work(worker, index) for every index below `count`, each worker on a thread of its own (one alone on
// the calling thread), and done(result) in the order of the indices on the calling thread. A result has the
// member `index`. If `done` throws, the rest is abandoned and the exception passed on. `work` throws nothing.
template <typename Result, typename Worker, typename Work>
void RunInOrder(std::vector<Worker>& workers, std::size_t count, const Work& work,
                const std::function<void(const Result&)>& done) {
  if (workers.size() == 1) {
    for (std::size_t i = 0; i < count; ++i) done(work(workers.front(), i));
    return;
  }
  OrderedResults<Result> results(count, 16 * workers.size());
  OrderedWorkers<Result> threads(results);
  try {
    for (Worker& worker : workers) {
      threads.Start([&results, &worker, &work] {
        while (const auto index = results.Take()) results.Put(work(worker, *index));
      });
    }
  } catch (const std::system_error& error) {
    FailToStart(static_cast<int>(workers.size()), error);
  }
  for (std::size_t i = 0; i < count; ++i) done(results.Next());
}

}  // namespace mobilenet
