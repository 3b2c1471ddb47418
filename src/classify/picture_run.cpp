#include "classify/picture_run.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/fail.h"

namespace mobilenet {

std::shared_ptr<const PictureRun::Shared> PictureRun::Share(const Network& network, const Weights& weights,
                                                            const Preprocessing& preprocessing,
                                                            const ClassifierOptions& options) {
  CheckPreprocessing(preprocessing);
  if (options.max_pixels < 1) Fail("max_pixels is 0, expected at least 1");
  const PlanOptions plan = {.precision = options.precision, .memory = options.memory};
  return std::make_shared<const Shared>(
      Shared{Plan(network, weights, plan), preprocessing, options.max_pixels});
}

PictureRun::PictureRun(std::shared_ptr<const Shared> shared, int threads)
    : shared_(std::move(shared)),
      runner_(shared_->plan, {.threads = threads}),
      input_(static_cast<std::size_t>(shared_->plan.input().size())),
      output_(static_cast<std::size_t>(shared_->plan.output().size())) {}

DecodeOptions PictureRun::decode_options() const {
  const Shape& shape = shared_->plan.input();
  DecodeOptions options = DecodeOptionsFor(shared_->preprocessing, shape.width, shape.height);
  options.max_pixels = shared_->max_pixels;
  return options;
}

const std::vector<float>& PictureRun::Run(const Image& image) {
  const Shape& shape = shared_->plan.input();
  Preprocess(image, shared_->preprocessing, shape.width, shape.height, shape.channels, input_);
  if (!runner_.Run(input_, output_)) Fail("the network's input and output don't fit its plan");
  if (!std::ranges::all_of(output_, [](float value) { return std::isfinite(value); }))
    Fail("the network's answer is not finite: its weights are damaged, or the preprocessing is not theirs");
  return output_;
}

}  // namespace mobilenet
