// Work on a ThreadPool that may throw.
#pragma once

#include <exception>
#include <mutex>

#include "base/thread_pool.h"

namespace mobilenet {

// Runs work(i, thread) on the pool, whose work must not throw, and throws here what was thrown there first.
template <typename Work>
void RunOrThrow(ThreadPool& pool, int count, const Work& work) {
  std::mutex mutex;
  std::exception_ptr thrown;
  pool.Run(count, [&](int i, int thread) {
    try {
      work(i, thread);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!thrown) thrown = std::current_exception();
    }
  });
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace mobilenet
