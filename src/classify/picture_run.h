// A plan run on pictures.
#pragma once

#include <memory>
#include <vector>

#include "mobilenet/classifier.h"
#include "mobilenet/runtime.h"

namespace mobilenet {

// A Runner with its input and output; it belongs to one thread at a time.
class PictureRun {
 public:
  // What copies share.
  struct Shared {
    Plan plan;
    Preprocessing preprocessing;
    std::size_t max_pixels;
  };
  // Throws Error where preprocessing or options can't be used, and as Plan does.
  static std::shared_ptr<const Shared> Share(const Network& network, const Weights& weights,
                                             const Preprocessing& preprocessing,
                                             const ClassifierOptions& options);

  PictureRun(std::shared_ptr<const Shared> shared, int threads);

  [[nodiscard]] const std::shared_ptr<const Shared>& shared() const { return shared_; }
  [[nodiscard]] int threads() const { return runner_.threads(); }
  [[nodiscard]] DecodeOptions decode_options() const;

  // What the network makes of a picture, to be read until the next run. Throws Error where it
  // is not finite, or the picture can't be used.
  const std::vector<float>& Run(const Image& image);

 private:
  std::shared_ptr<const Shared> shared_;
  Runner runner_;
  std::vector<float> input_;
  std::vector<float> output_;
};

}  // namespace mobilenet
