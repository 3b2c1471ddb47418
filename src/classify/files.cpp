#include <algorithm>
#include <vector>

#include "base/fail.h"
#include "base/stopwatch.h"
#include "base/thread_pool.h"
#include "classify/in_order.h"
#include "mobilenet/classifier.h"

namespace mobilenet {
namespace {

FileResult ClassifyOne(Classifier& classify, std::span<const std::filesystem::path> files, std::size_t index,
                       int top) {
  FileResult result;
  result.index = index;
  const Stopwatch stopwatch;
  try {
    result.predictions = classify.File(files[index], {.top = top});
  } catch (const std::exception& error) {  // Error, or not even the memory for one
    result.error = error.what();
  }
  result.ms = 1e3 * stopwatch.Seconds();
  return result;
}

}  // namespace

void ClassifyFiles(const Model& model, std::span<const std::filesystem::path> files,
                   const FilesOptions& options, const std::function<void(const FileResult&)>& done) {
  CheckThreads(options.threads);
  if (!done) Fail("there is no function to take the results, expected one");
  if (files.empty()) return;
  if (options.top < 1) Fail("top is ", options.top, ", expected at least 1");
  // One picture is worked on by all threads, of many each by one.
  const auto count = std::min(static_cast<std::size_t>(options.threads), files.size());
  const Classifier prototype(model, {.threads = count == 1 ? options.threads : 1,
                                     .precision = options.precision,
                                     .memory = options.memory,
                                     .max_pixels = options.max_pixels});
  std::vector<Classifier> classifiers(count, prototype);
  const auto classify = [&](Classifier& classifier, std::size_t index) {
    return ClassifyOne(classifier, files, index, options.top);
  };
  RunInOrder<FileResult>(classifiers, files.size(), classify, done);
}

}  // namespace mobilenet
