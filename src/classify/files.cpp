// Many pictures at once: each worker takes a whole picture, so that one decodes while another runs.
#include <algorithm>
#include <array>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <optional>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "base/fail.h"
#include "base/stopwatch.h"
#include "base/thread_pool.h"
#include "image/signatures.h"
#include "mobilenet/classifier.h"

namespace mobilenet {
namespace {

// Results on their way from the workers to the caller, in order. Workers wait where they are too far ahead.
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

  void Put(FileResult result) {
    const std::lock_guard lock(mutex_);
    slots_[result.index] = std::move(result);
    moved_.notify_all();
  }

  FileResult Next() {
    std::unique_lock lock(mutex_);
    moved_.wait(lock, [&] { return slots_[delivered_].has_value(); });
    FileResult result = std::move(*slots_[delivered_]);
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
  std::vector<std::optional<FileResult>> slots_;
  std::size_t ahead_;
  std::size_t taken_ = 0;
  std::size_t delivered_ = 0;
  bool stopped_ = false;
};

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

// Stops and joins the workers however the caller's loop ends.
class Workers {
 public:
  explicit Workers(OrderedResults& results) : results_(results) {}
  ~Workers() {
    results_.Stop();
    for (std::thread& thread : threads_) thread.join();
  }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  template <typename Work>
  void Start(Work work) {
    threads_.emplace_back(std::move(work));
  }

 private:
  OrderedResults& results_;
  std::vector<std::thread> threads_;
};

bool EndsAsImage(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(), [](unsigned char c) { return std::tolower(c); });
  // The last ones are not read, which is then said of each, as of those before them in a build that lacks
  // their libraries.
  constexpr std::array<std::string_view, 14> kExtensions = {".jpg", ".jpeg", ".png",  ".webp", ".bmp",
                                                            ".gif", ".tif",  ".tiff", ".heic", ".heif",
                                                            ".hif", ".avif", ".jxl",  ".jp2"};
  return std::ranges::find(kExtensions, extension) != kExtensions.end();
}

bool BeginsAsImage(const std::filesystem::path& path) {
  std::array<std::uint8_t, kSignatureBytes> bytes{};
  std::ifstream(path, std::ios::binary).read(reinterpret_cast<char*>(bytes.data()), bytes.size());
  const PictureFormat format = SignatureOf(bytes).format;
  return format != PictureFormat::kUnknown && format != PictureFormat::kForeign;
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
  Classifier prototype(model, {.threads = count == 1 ? options.threads : 1,
                               .precision = options.precision,
                               .memory = options.memory,
                               .max_pixels = options.max_pixels});
  if (count == 1) {
    for (std::size_t i = 0; i < files.size(); ++i) done(ClassifyOne(prototype, files, i, options.top));
    return;
  }
  std::vector<Classifier> classifiers(count, prototype);
  OrderedResults results(files.size(), 16 * count);
  Workers workers(results);
  try {
    for (Classifier& classifier : classifiers) {
      workers.Start([&results, &classifier, files, top = options.top] {
        while (const auto index = results.Take()) results.Put(ClassifyOne(classifier, files, *index, top));
      });
    }
  } catch (const std::system_error& error) {
    FailToStart(static_cast<int>(count), error);
  }
  for (std::size_t i = 0; i < files.size(); ++i) done(results.Next());
}

namespace {

std::vector<std::filesystem::path> ImagesIn(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  std::vector<fs::path> files;
  std::error_code error;
  auto walk = fs::recursive_directory_iterator(folder, error);
  if (error) Fail(folder.string(), ": can't be read: ", error.message());
  for (; walk != fs::recursive_directory_iterator(); walk.increment(error)) {
    if (error) Fail(folder.string(), ": can't be read to its end: ", error.message());
    const fs::path& path = walk->path();
    const bool hidden = path.filename().string().starts_with('.');
    // An entry that can't be examined (a link to itself, say) counts as a picture where it is named as one,
    // and so does a folder that can't be read: they are reported with the others.
    std::error_code unknown;
    std::error_code closed;
    const bool file = walk->is_regular_file(unknown);
    if (!hidden && !walk->is_symlink(unknown) && walk->is_directory(unknown))
      fs::directory_iterator(path, closed);
    if (hidden || closed) walk.disable_recursion_pending();
    const bool candidate = unknown  ? EndsAsImage(path)
                           : closed ? true
                                    : file && (EndsAsImage(path) || BeginsAsImage(path));
    if (!hidden && candidate) files.push_back(path);
  }
  std::ranges::sort(files);
  return files;
}

}  // namespace

std::vector<std::filesystem::path> FindImages(const std::filesystem::path& folder) {
  return OrOutOfMemory(folder.native(), [&] { return ImagesIn(folder); });
}

}  // namespace mobilenet
