#include "base/thread_pool.h"

#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <exception>
#include <thread>
#include <vector>

#include "base/fail.h"

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

namespace mobilenet {
namespace {

void Pause() {
#if defined(__x86_64__) || defined(__i386__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Waits until `value` is no longer `old`: 2000 pauses are 20 to 80 microseconds, longer than the steps of a
// small network are apart; a thread that waited longer than that sleeps.
template <typename T>
T AwaitChange(const std::atomic<T>& value, T old) {
  constexpr int kSpins = 2000;
  for (int i = 0; i < kSpins; ++i) {
    const T now = value.load(std::memory_order_acquire);
    if (now != old) return now;
    Pause();
  }
  T now = old;
  while ((now = value.load(std::memory_order_acquire)) == old) value.wait(old, std::memory_order_acquire);
  return now;
}

// How many forks lie between the first process and this one.
std::atomic<unsigned>& Forks() {
  static std::atomic<unsigned> forks = 0;
  static const int registered = pthread_atfork(nullptr, nullptr, [] { ++Forks(); });
  (void)registered;  // without memory for it, a forked process would wait forever, as if it were not there
  return forks;
}

}  // namespace

// The threads beside the caller's, and what they share.
class ThreadPool::Crew {
 public:
  explicit Crew(int workers) {
    try {
      for (int thread = 1; thread <= workers; ++thread)
        workers_.emplace_back([this, thread] { Work(thread); });
    } catch (...) {
      Stop();
      throw;
    }
  }
  ~Crew() { Stop(); }
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  void Run(int tasks, Function function, const void* context) noexcept;

 private:
  void Work(int thread) noexcept;
  void Stop() noexcept;
  void TakeTasks(int thread) noexcept;

  // Written by Run before round_ moves on, read by the workers after they saw it move.
  Function function_ = nullptr;
  const void* context_ = nullptr;
  int tasks_ = 0;
  bool stop_ = false;

  alignas(64) std::atomic<std::uint32_t> round_ = 0;  // one more for each Run
  alignas(64) std::atomic<int> next_task_ = 0;
  alignas(64) std::atomic<int> working_ = 0;  // workers that haven't finished this round
  std::vector<std::thread> workers_;
};

void ThreadPool::Crew::Stop() noexcept {
  stop_ = true;
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::Crew::Run(int tasks, Function function, const void* context) noexcept {
  function_ = function;
  context_ = context;
  tasks_ = tasks;
  next_task_.store(0, std::memory_order_relaxed);
  working_.store(static_cast<int>(workers_.size()), std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  TakeTasks(0);
  for (int left = working_.load(std::memory_order_acquire); left != 0;) left = AwaitChange(working_, left);
}

void ThreadPool::Crew::TakeTasks(int thread) noexcept {
  while (true) {
    const int task = next_task_.fetch_add(1, std::memory_order_relaxed);
    if (task >= tasks_) return;
    function_(context_, task, thread);
  }
}

void ThreadPool::Crew::Work(int thread) noexcept {
  std::uint32_t round = 0;
  while (true) {
    round = AwaitChange(round_, round);
    if (stop_) return;
    TakeTasks(thread);
    working_.fetch_sub(1, std::memory_order_acq_rel);
    working_.notify_one();
  }
}

void CheckThreads(int threads) {
  constexpr int kMost = 256;
  if (threads < 1 || threads > kMost) Fail("threads is ", threads, ", expected 1 to ", kMost);
}

void FailToStart(int threads, const std::system_error& error) {
  Fail("the system refused to start ", threads, " threads: ", error.what());
}

ThreadPool::ThreadPool(int threads) : threads_(threads), forks_(Forks()) {
  CheckThreads(threads);
  if (threads == 1) return;
  try {
    crew_ = std::make_unique<Crew>(threads - 1);
  } catch (const std::system_error& error) {
    FailToStart(threads, error);
  }
}

// A forked process has no threads to join, only what describes them, which is given up: a few hundred bytes.
ThreadPool::~ThreadPool() {
  if (forks_ != Forks()) (void)crew_.release();
}

void ThreadPool::Start(int tasks, Function function, const void* context) noexcept {
  if (const unsigned forks = Forks(); forks_ != forks) {
    (void)crew_.release();
    forks_ = forks;
    try {
      crew_ = std::make_unique<Crew>(threads_ - 1);
    } catch (const std::exception&) {
      crew_ = nullptr;
    }
  }
  if (crew_) return crew_->Run(tasks, function, context);
  for (int task = 0; task < tasks; ++task) function(context, task, 0);
}

}  // namespace mobilenet
