#include "mobilenet/find_preprocessing.h"

#include <algorithm>

#include "complaint.h"
#include "gmock/gmock.h"
#include "shared_data.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;

Model PublishedModel() { return Model::Load(SharedData() / "models" / "mobilenet_v1_0.25_224.safetensors"); }

std::vector<Sample> Photos(const Model& model, std::size_t step) {
  const std::vector<Sample> all = LoadSamples(SharedData() / "images" / "imagenet200.tsv", model);
  std::vector<Sample> some;
  for (std::size_t i = 0; i < all.size(); i += step) some.push_back(all[i]);
  return some;
}

// Under whatever the file says.
TEST(FindPreprocessing, ComesBackToWhatThePublishedWeightsWereTrainedWith) {
  MOBILENET_REQUIRE_DATA();
  Model model = PublishedModel();
  std::vector<Sample> photos = Photos(model, 5);
  model.preprocessing = PreprocessingPreset("caffe");
  model.preprocessing.filter = ResizeFilter::kNearest;
  photos.push_back({"missing.jpg", 0});
  std::size_t calls = 0;
  std::string error;
  const FoundPreprocessing found =
      FindPreprocessing(model, photos, {.threads = 2}, [&](const FindPreprocessingProgress& at) {
        ++calls;
        EXPECT_EQ(at.done, calls);
        error += at.error;
      });
  EXPECT_EQ(found.preprocessing(), PreprocessingPreset("tensorflow")) << "bilinear, 0.875 of each side";
  EXPECT_EQ(found.images, 40);
  EXPECT_EQ(found.failed, 1);
  EXPECT_EQ(calls, 81U);
  EXPECT_THAT(error, HasSubstr("missing.jpg"));
  EXPECT_EQ(found.normalisations, 10U);
  EXPECT_EQ(found.tried.size(), 34U);
  EXPECT_EQ(found.pixels.best, 0U);
  EXPECT_EQ(found.resize.best, 10U);
  EXPECT_NE(found.resize.best, found.resize.second);
  EXPECT_TRUE(found.resize.within_chance);
  // Each is counted as Evaluate counts.
  photos.pop_back();
  for (const std::size_t i : {std::size_t{0}, found.resize.second, found.tried.size() - 1}) {
    model.preprocessing = found.tried[i].preprocessing;
    const Evaluation alone = Evaluate(model, photos, {.threads = 2}, [](const FileResult&) {});
    EXPECT_NEAR(alone.top1 * alone.images, found.tried[i].right, 0.5) << i;
  }
}

TEST(FindPreprocessing, KeepsNumbersOfTheFilesOwn) {
  MOBILENET_REQUIRE_DATA();
  Model model = PublishedModel();
  // Weights for (x - 127.5) / 12.75: those published, with another first layer.
  Tensor& first = model.weights.find("conv1.weight")->second;
  std::vector<float> values(first.values.begin(), first.values.end());
  for (float& value : values) value *= 0.1F;
  first = Tensor::Of(first.shape, std::move(values));
  model.preprocessing.mean = {127.5F, 127.5F, 127.5F};
  model.preprocessing.scale = {1 / 12.75F, 1 / 12.75F, 1 / 12.75F};
  const FoundPreprocessing found = FindPreprocessing(model, Photos(model, 10), {.threads = 2});
  EXPECT_EQ(found.normalisations, 12U);
  EXPECT_EQ(found.preprocessing().scale, model.preprocessing.scale);
}

// V1 0.25 that tells animals, the first 398 of ImageNet's classes, from things: by two outputs, or by one,
// their difference. Its logits are a mean over classes each.
Model AnimalsOrThings(bool one_output) {
  constexpr std::size_t kAnimals = 398;
  constexpr std::size_t kClasses = 1000;
  Model model = PublishedModel();
  const Tensor weight = model.weights.at("classifier.weight");
  const auto features = static_cast<std::size_t>(weight.shape[0]);
  std::vector<float> values;
  for (std::size_t f = 0; f < features; ++f) {
    double animal = 0;
    double thing = 0;
    for (std::size_t c = 0; c < kClasses; ++c)
      (c < kAnimals ? animal : thing) += weight.values[f * kClasses + c];
    animal /= kAnimals;
    thing /= kClasses - kAnimals;
    values.push_back(static_cast<float>(one_output ? thing - animal : animal));
    if (!one_output) values.push_back(static_cast<float>(thing));
  }
  const int outputs = one_output ? 1 : 2;
  model.network = WithClasses(model.network, outputs);
  model.weights["classifier.weight"] = Tensor::Of({weight.shape[0], outputs}, std::move(values));
  model.weights["classifier.bias"] =
      Tensor::Of({outputs}, std::vector<float>(static_cast<std::size_t>(outputs)));
  model.labels = {"animal", "thing"};
  model.answers = one_output ? Answers::kSigmoid : Answers::kSoftmax;
  return model;
}

TEST(FindPreprocessing, OneOutputIsAsGoodAsTwo) {
  MOBILENET_REQUIRE_DATA();
  std::vector<Sample> photos = Photos(PublishedModel(), 5);
  for (Sample& photo : photos) photo.label = photo.label < 398 ? 0 : 1;
  const FoundPreprocessing one = FindPreprocessing(AnimalsOrThings(true), photos, {.threads = 2});
  const FoundPreprocessing two = FindPreprocessing(AnimalsOrThings(false), photos, {.threads = 2});
  EXPECT_EQ(one.preprocessing(), two.preprocessing());
  ASSERT_EQ(one.tried.size(), two.tried.size());
  for (std::size_t i = 0; i < one.tried.size(); ++i) {
    EXPECT_EQ(one.tried[i].right, two.tried[i].right) << i;
    EXPECT_NEAR(one.tried[i].log_likelihood, two.tried[i].log_likelihood, 1e-3) << i;
  }
}

TEST(FindPreprocessing, RefusesWhatTellsNothing) {
  MOBILENET_REQUIRE_DATA();
  const Model model = PublishedModel();
  std::vector<Sample> photos = Photos(model, 20);
  EXPECT_THAT(Complaint([&] { FindPreprocessing(model, std::vector<Sample>()); }),
              HasSubstr("no photo to try that can be read"));
  EXPECT_THAT(Complaint([&] { FindPreprocessing(model, photos, {.threads = 0}); }), HasSubstr("0"));
  for (Sample& photo : photos) photo.label = (photo.label + 500) % 1000;
  EXPECT_THAT(Complaint([&] { FindPreprocessing(model, photos, {.threads = 2}); }),
              HasSubstr("expected photos of the model's classes"));
  photos[0].label = 1000;
  EXPECT_THAT(Complaint([&] { FindPreprocessing(model, photos); }), HasSubstr("is of class 1000"));
}

}  // namespace
}  // namespace mobilenet
