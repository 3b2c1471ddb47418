#include "base/fail.h"
#include "formats/sequence.h"

namespace mobilenet {
namespace {

// Numbers from files, far above any network's, that keep the arithmetic below within an int.
constexpr int kMaxSide = 1'000'000;
constexpr int kMaxStep = 16;

}  // namespace

void ChainCheck::SetInput(int side) {
  if (side < 1 || side > kMaxSide)
    Fail(file_, ": takes images of ", side, " pixels a side, expected 32 to 4096");
  side_ = side;
}

void ChainCheck::Rescaling(const std::string& layer) {
  if (begun_) Bad(layer, "rescales values within the network, expected that right after the input, and once");
  begun_ = true;
}

void ChainCheck::Zeros(const std::string& layer, int before, int after) {
  begun_ = true;
  if (before < 0 || before > kMaxStep || after < 0 || after > kMaxStep || before_ != 0 || after_ != 0) {
    Bad(layer,
        Concat("puts ", before, " and ", after, " zeros around the map, expected 1 at most, and once"));
  }
  before_ = before;
  after_ = after;
}

void ChainCheck::Bad(const std::string& layer, std::string_view what) const {
  Fail(file_, ": the layer ", layer, " ", what);
}

void ChainCheck::ExpectBody(const std::string& layer) const {
  if (averaged_) Bad(layer, "comes after the average over the map, where only the classifier belongs");
}

// Zeros of one pixel below and to the right before a valid 3x3 window of stride 2 are what "same" does to an
// even map; on an odd one "same" pads on both sides, and the outputs differ.
PaddingStyle ChainCheck::Convolution(const std::string& layer, int kernel, int stride, bool same) {
  ExpectBody(layer);
  begun_ = true;
  if (stride < 1 || stride > kMaxStep) Bad(layer, Concat("has the stride ", stride, ", expected 1 or 2"));
  const int before = before_;
  const int after = after_;
  const int side = side_;
  before_ = after_ = 0;
  if (side_ > 0)
    side_ = same ? (side_ + stride - 1) / stride : (side_ + before + after - kernel) / stride + 1;
  if (same) {
    if (before != 0 || after != 0) Bad(layer, "is padded twice: zeros before it, and same");
    return PaddingStyle::kSame;
  }
  if (before == kernel / 2 && after == kernel / 2) return PaddingStyle::kSymmetric;
  if (before == 0 && after == kernel / 2 && stride == 2) {
    if (side % 2 != 0) {
      Bad(layer, Concat("pads a map of ", side, " x ", side,
                        " below and to the right, expected an even map, where that is the "
                        "padding \"same\""));
    }
    return PaddingStyle::kSame;
  }
  Bad(layer, Concat("is padded with ", before, " and ", after,
                    " zeros a side, expected the padding \"same\" or ", kernel / 2, " on every side"));
}

void ChainCheck::Pointwise(const std::string& layer) {
  begun_ = true;
  if (before_ != 0 || after_ != 0)
    Bad(layer, "is a 1 x 1 convolution of a padded map, which no MobileNet has");
  if (averaged_) Classifier(layer);
}

void ChainCheck::Average(const std::string& layer, int window) {
  ExpectBody(layer);
  if (window != 0 && side_ != 0 && window != side_) {
    Bad(layer, Concat("averages over ", window, " x ", window, " pixels, expected the whole map of ", side_,
                      " x ", side_));
  }
  averaged_ = true;
}

void ChainCheck::Classifier(const std::string& layer) {
  if (!averaged_)
    Bad(layer, "classifies a map that was not averaged, expected an average over the whole map before it");
  if (classified_) Bad(layer, "is a second classifier");
  classified_ = true;
}

void ChainCheck::Softmax(const std::string& layer) {
  if (!classified_ || ended_)
    Bad(layer, "is a softmax in the network's midst, expected one at its end at most");
  ended_ = true;
}

void ChainCheck::End() const {
  if (!classified_)
    Fail(file_, ": has no classifier after an average over the map, as every MobileNet V1 has");
}

}  // namespace mobilenet
