// Threads that wait for work: they spin for a moment, since a network's next step follows within
// microseconds, and sleep after that.
//
// Ours rather than pthreadpool: Debian's is a shared library only, so that nothing static could be linked,
// and it isn't built with ThreadSanitizer, which then reports every hand-over as a race.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace mobilenet {

class ThreadPool {
 public:
  // `threads` counts the caller of Run, so 1 starts none. Throws std::system_error where the system refuses.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  [[nodiscard]] int threads() const { return static_cast<int>(workers_.size()) + 1; }

  // Calls work(task, thread) for each task in [0, tasks), spread over the threads, and returns when all are
  // done. `thread` is in [0, threads()). Neither allocates nor locks. One call at a time; `work` must not
  // throw.
  template <typename Work>
  void Run(int tasks, const Work& work) noexcept {
    if (workers_.empty() || tasks <= 1) {
      for (int task = 0; task < tasks; ++task) work(task, 0);
      return;
    }
    Start(
        tasks,
        [](const void* context, int task, int thread) { (*static_cast<const Work*>(context))(task, thread); },
        &work);
  }

 private:
  using Function = void (*)(const void* context, int task, int thread);

  void Start(int tasks, Function function, const void* context) noexcept;
  void Work(int thread) noexcept;
  void Stop() noexcept;
  void TakeTasks(int thread) noexcept;

  // Written by Start before round_ moves on, read by the workers after they saw it move.
  Function function_ = nullptr;
  const void* context_ = nullptr;
  int tasks_ = 0;
  bool stop_ = false;

  alignas(64) std::atomic<std::uint32_t> round_ = 0;  // one more for each Run
  alignas(64) std::atomic<int> next_task_ = 0;
  alignas(64) std::atomic<int> working_ = 0;  // workers that haven't finished this round
  std::vector<std::thread> workers_;
};

}  // namespace mobilenet
