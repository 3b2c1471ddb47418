// Published networks on real photos, beside ONNX Runtime's and PyTorch's logits for the same pixels. Full
// decoding and our resize give Pillow's pixels exactly (see resize_test), so the tolerance is the network's
// alone.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <string>

#include "gtest/gtest.h"
#include "mobilenet/mobilenet.h"
#include "npy.h"
#include "runtime/reference_run.h"
#include "shared_data.h"

namespace mobilenet {
namespace {

// Sanitizers are slow: MOBILENET_TEST_PHOTO_STEP=10 takes every tenth of the photos that are taken otherwise.
std::size_t PhotoStep(std::size_t least) {
  const char* step = std::getenv("MOBILENET_TEST_PHOTO_STEP");
  return least * (step == nullptr ? 1 : std::stoul(step));
}

struct Published {
  const char* name;  // of the model's file and its reference's
  double top1;
  double top5;
  std::size_t step;  // large networks take every so many photos where all targets run, or the reference does
  // Of upright photos the reference's pixels differ by a unit here and there: newer Pillows resize them in
  // the other direction first. With Pillow's own pixels all logits agree.
  double upright_tolerance = 1e-3;
};

class Parity : public testing::TestWithParam<Published> {
 protected:
  void SetUp() override {
    MOBILENET_REQUIRE_DATA();
    const std::string name = GetParam().name;
    model_ = Model::Load(SharedData() / "models" / (name + ".safetensors"));
    // All reference logits were made of the stretched centre of the photos, torchvision's too.
    model_.preprocessing.shape = CropShape::kStretch;
    expected_ = LoadNpy(SharedData() / "reference" / (name + ".logits.npy"));
    samples_ = LoadSamples(SharedData() / "images" / "imagenet200.tsv", model_);
    ASSERT_EQ(samples_.size(), expected_.rows);
  }

  std::vector<float> InputOf(std::size_t photo) {
    std::vector<float> input(static_cast<std::size_t>(model_.network.input.size()));
    const Image image = LoadImage(samples_[photo].file);
    logits_tolerance_ = image.height > image.width ? GetParam().upright_tolerance : 1e-3;
    Preprocess(image, model_.preprocessing, 224, 224, 3, input);
    return input;
  }

  // Leaves every so many photos, from the first on: all, but where sanitizers run.
  void KeepSome() {
    const std::size_t step = PhotoStep(1) == 1 ? 1 : PhotoStep(GetParam().step);
    std::vector<Sample> kept;
    for (std::size_t photo = 0; photo < samples_.size(); photo += step) {
      kept.push_back(samples_[photo]);
      std::copy_n(
          expected_.values.begin() + static_cast<std::ptrdiff_t>(photo * expected_.columns),
          expected_.columns,
          expected_.values.begin() + static_cast<std::ptrdiff_t>((kept.size() - 1) * expected_.columns));
    }
    samples_ = std::move(kept);
  }

  // Top-1 and top-5 of the reference's logits.
  std::pair<double, double> Expected() const {
    double top1 = 0;
    double top5 = 0;
    for (std::size_t photo = 0; photo < samples_.size(); ++photo) {
      const float* row = expected_.values.data() + photo * expected_.columns;
      const float own = row[samples_[photo].label];
      const auto better = std::count_if(row, row + expected_.columns, [&](float v) { return v > own; });
      top1 += better < 1 ? 1 : 0;
      top5 += better < 5 ? 1 : 0;
    }
    const auto photos = static_cast<double>(samples_.size());
    return {top1 / photos, top5 / photos};
  }

  // A hundredth, or one photo.
  double tolerance() const { return std::max(0.010, 1.0 / static_cast<double>(samples_.size())) + 1e-9; }

  void ExpectLogits(std::size_t photo, std::span<const float> logits) const {
    double largest = 0;
    for (std::size_t i = 0; i < logits.size(); ++i) {
      largest =
          std::max(largest, std::abs(double{logits[i]} - expected_.values[photo * expected_.columns + i]));
    }
    EXPECT_LT(largest, logits_tolerance_) << samples_[photo].file;
  }

  Model model_;
  Matrix expected_;
  std::vector<Sample> samples_;
  double logits_tolerance_ = 1e-3;  // for the photo that InputOf made the last input of
};

TEST_P(Parity, EveryTargetAgreesOnEveryPhoto) {
  std::vector<Runner> runners;
  for (const std::string_view target : AvailableTargets()) {
    runners.emplace_back(Plan(model_.network, model_.weights, {.target = target}),
                         RunnerOptions{.threads = 2});
  }
  std::vector<float> logits(1000);
  for (std::size_t photo = 0; photo < samples_.size(); photo += PhotoStep(GetParam().step)) {
    const std::vector<float> input = InputOf(photo);
    for (std::size_t i = 0; i < runners.size(); ++i) {
      SCOPED_TRACE(AvailableTargets()[i]);
      ASSERT_TRUE(runners[i].Run(input, logits));
      ExpectLogits(photo, logits);
    }
  }
}

TEST_P(Parity, TheReferenceKernelsAgreeOnEveryPhoto) {
  for (std::size_t photo = 0; photo < samples_.size(); photo += PhotoStep(4 * GetParam().step)) {
    ExpectLogits(photo, ReferenceRun(model_.network, model_.weights, InputOf(photo)));
  }
}

TEST_P(Parity, EndToEndAccuracyIsThePublishedOne) {
  KeepSome();
  const Evaluation result =
      Evaluate(model_, samples_, {.threads = 2}, [](const FileResult& file) { EXPECT_EQ(file.error, ""); });
  EXPECT_EQ(static_cast<std::size_t>(result.images), samples_.size());
  const auto [top1, top5] = Expected();
  EXPECT_NEAR(result.top1, top1, tolerance());
  EXPECT_NEAR(result.top5, top5, tolerance());
  if (samples_.size() < 200) return;
  EXPECT_NEAR(result.top1, GetParam().top1, 0.010 + 1e-9);
  EXPECT_NEAR(result.top5, GetParam().top5, 0.010 + 1e-9);
}

TEST_P(Parity, SixteenBitsCostNoAccuracy) {
  KeepSome();
  for (const Precision precision : {Precision::kBfloat16, Precision::kFloat16}) {
    const Evaluation result =
        Evaluate(model_, samples_, {.threads = 2, .precision = precision}, [](const FileResult&) {});
    // Of the larger networks' photos, one more is undecided between two classes.
    const double undecided = GetParam().step > 1 ? 0.005 : 0;
    EXPECT_NEAR(result.top1, Expected().first, tolerance() + undecided) << NameOf(precision);
  }
}

// Every way of computing in 16 bits: logits near those of float32, which run from about -10 to 20. They are
// rounded 14 times over; a product gone wrong gives several units.
TEST_P(Parity, LogitsOfSixteenBitsAreNear) {
  for (const std::string_view target : AvailableTargets()) {
    for (const auto& [precision, tolerance] :
         {std::pair(Precision::kBfloat16, 0.2), std::pair(Precision::kFloat16, 0.05)}) {
      SCOPED_TRACE(testing::Message() << target << ", " << NameOf(precision));
      const Plan plan(model_.network, model_.weights, {.target = target, .precision = precision});
      Runner runner(plan);
      const auto input = InputOf(0);
      std::vector<float> logits(1000);
      ASSERT_TRUE(runner.Run(input, logits));
      double sum = 0;
      for (std::size_t i = 0; i < logits.size(); ++i) {
        sum += std::abs(double{logits[i]} - expected_.values[i]);
      }
      EXPECT_LT(sum / static_cast<double>(logits.size()), tolerance);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Parity,
                         testing::Values(Published{"mobilenet_v1_0.25_224", 0.590, 0.820, 1},
                                         Published{"mobilenet_v1_1.0_224", 0.915, 0.995, 20, 0.5},
                                         Published{"mobilenet_v2_1.0_224_torchvision", 0.845, 0.975, 10,
                                                   0.5}),
                         [](const auto& each) {
                           std::string name = each.param.name;
                           std::erase_if(name, [](char c) { return !std::isalnum(c); });
                           return name;
                         });

}  // namespace
}  // namespace mobilenet
