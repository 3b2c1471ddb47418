// Training pictures: decoded once, shrunk to what training needs of them, and kept as far as memory allows.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "mobilenet/classifier.h"
#include "mobilenet/image.h"

namespace mobilenet {

// How a picture is kept: as the network sees it in use (`whole` false), or the whole of it, for crops to be
// taken from, its shorter side at most `side` pixels, unless the filter sees single pixels.
struct KeptForm {
  bool whole = false;
  int side = 0;
  Preprocessing preprocessing;
  int width = 0;  // of the network's input
  int height = 0;
  std::size_t max_pixels = kMaxPixels;  // of a picture, as in DecodeOptions

  bool operator==(const KeptForm&) const = default;
};

class Pictures {
 public:
  struct Reading {
    // After each few pictures; both on the calling thread.
    std::function<void(std::size_t done)> progress;
    std::function<void(const std::string& message)> warning;
  };

  // Reads every file, so that each that can't be read is known before training starts: those are left out,
  // with a warning. At most `budget` bytes of pictures are kept, the first ones; of the rest, Get decodes the
  // file again.
  Pictures(std::vector<Sample> samples, const KeptForm& form, std::size_t budget, ThreadPool& pool,
           const Reading& reading);

  // Those that could be read.
  [[nodiscard]] const std::vector<Sample>& samples() const { return samples_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  // Fingerprints of their names and labels in order, and of what is in them.
  [[nodiscard]] const std::string& names() const { return names_; }
  [[nodiscard]] const std::string& pixels() const { return pixels_; }

  // The picture in its kept form; `buffer` holds one that is not in memory. Safe from any number of threads.
  // Throws Error where a file can't be read any more.
  const Image& Get(std::size_t index, Image& buffer) const;

 private:
  std::vector<Sample> samples_;
  std::vector<Image> kept_;  // the first ones
  KeptForm form_;
  std::size_t bytes_ = 0;
  std::string names_;
  std::string pixels_;
};

}  // namespace mobilenet
