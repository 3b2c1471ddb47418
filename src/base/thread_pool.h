// Threads that wait for work: they spin for a moment, since a network's next step follows within
// microseconds, and sleep after that.
//
// Ours rather than pthreadpool: Debian's is a shared library only, so that nothing static could be linked,
// and it isn't built with ThreadSanitizer, which then reports every hand-over as a race.
#pragma once

#include <memory>
#include <system_error>

namespace mobilenet {

// Throws Error for a number of threads that is not from 1 to 256, as all that takes one does.
void CheckThreads(int threads);

// Throws the Error for threads that the system would not start.
[[noreturn]] void FailToStart(int threads, const std::system_error& error);

class ThreadPool {
 public:
  // `threads` counts the caller of Run, so 1 starts none. Throws Error as CheckThreads does, and where the
  // system refuses.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  [[nodiscard]] int threads() const { return threads_; }

  // Calls work(task, thread) for each task in [0, tasks), spread over the threads, and returns when all are
  // done. `thread` is in [0, threads()). Neither allocates nor locks, but for the first call in a process
  // that was forked after the pool was made: threads don't come along, so that new ones are started there,
  // and where the system refuses them the caller does all the work. One call at a time; `work` must not
  // throw.
  template <typename Work>
  void Run(int tasks, const Work& work) noexcept {
    if (threads_ == 1 || tasks <= 1) {
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
  class Crew;

  void Start(int tasks, Function function, const void* context) noexcept;

  int threads_;
  unsigned forks_;              // how often this process had been forked when the crew was made
  std::unique_ptr<Crew> crew_;  // null where there is one thread
};

}  // namespace mobilenet
