// Embeddings, beside the logits that are made of them.
#include "mobilenet/embed.h"

#include <algorithm>
#include <fstream>
#include <vector>

#include "classify/noise.h"
#include "complaint.h"
#include "gmock/gmock.h"
#include "mobilenet/mobilenet.h"
#include "runtime/reference_run.h"
#include "temporary_directory.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;

std::vector<float> InputOf(const Model& model, const Image& image) {
  const Shape& shape = model.network.input;
  std::vector<float> input(static_cast<std::size_t>(shape.size()));
  Preprocess(image, model.preprocessing, shape.width, shape.height, shape.channels, input);
  return input;
}

// The classifier makes the logits of them.
TEST(Embed, TheClassifierReadsThem) {
  const Image image = NoisyImage(50, 40);
  for (const Network& network : {V1({.alpha = 0.25, .resolution = {64, 96}, .classes = 5}),
                                 V2({.alpha = 0.35, .resolution = 64, .classes = 5})}) {
    const Model model = RandomModel(network);
    Embedder embed(model);
    const std::vector<float> features = embed.Pixels(image);
    const Tensor& weight = model.weights.at("classifier.weight");
    ASSERT_EQ(static_cast<std::int64_t>(features.size()), weight.shape[0]);
    EXPECT_EQ(embed.shape(), (Shape{1, 1, static_cast<int>(features.size())}));
    EXPECT_EQ(embed.layer(), "pool");
    const std::vector<float> logits = ReferenceRun(model.network, model.weights, InputOf(model, image));
    for (std::size_t c = 0; c < 5; ++c) {
      double sum = model.weights.at("classifier.bias").values[c];
      for (std::size_t i = 0; i < features.size(); ++i) sum += double{features[i]} * weight.values[i * 5 + c];
      EXPECT_NEAR(sum, logits[c], 1e-4) << TitleOf(network);
    }
    Embedder copy = embed;
    EXPECT_EQ(copy.Pixels(image), features);
  }
}

// A layer's map is what a network gives that ends there.
TEST(Embed, MapsOfLayers) {
  const Image image = NoisyImage(50, 40);
  const Model model = RandomModel(V2({.alpha = 0.35, .resolution = 64, .classes = 5}));
  const auto& layers = model.network.layers;
  for (const std::size_t index : {std::size_t{0}, std::size_t{4}, layers.size() - 1}) {
    Model part = model;
    part.network.recipe.reset();
    part.network.layers.resize(index + 1);
    std::erase_if(part.weights, [&](const auto& weight) {
      return std::ranges::none_of(part.network.layers,
                                  [&](const Layer& l) { return weight.first.starts_with(l.name + "."); });
    });
    const std::vector<float> expected = ReferenceRun(part.network, part.weights, InputOf(model, image));
    Embedder embed(model, {}, layers[index].name);
    EXPECT_EQ(embed.shape(), layers[index].output);
    EXPECT_EQ(EmbeddingShape(model.network, layers[index].name), layers[index].output);
    EXPECT_THAT(embed.Pixels(image), testing::Pointwise(testing::FloatNear(1e-4F), expected))
        << layers[index].name;
  }
  EXPECT_THAT(Complaint([&] { Embedder(model, {}, "conv7"); }),
              HasSubstr("has no layer conv7, expected one from conv1 to classifier"));
}

TEST(Embed, FilesInTheirOrder) {
  const TemporaryDirectory directory;
  std::vector<std::filesystem::path> files;
  for (int i = 0; i < 40; ++i) {
    files.push_back(directory.path() / (std::to_string(i) + ".bmp"));
    if (i == 7) {
      std::ofstream(files.back()) << "no picture";
      continue;
    }
    // 2 x 1 pixels of 24 bits: a picture of one grey.
    std::string bmp("BM\x3E\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\2\0\0\0\1\0\0\0\1\0\x18\0", 30);
    bmp.resize(54, '\0');
    bmp.append(6, static_cast<char>(i * 5)).append(2, '\0');
    std::ofstream(files.back(), std::ios::binary) << bmp;
  }
  const Model model = RandomModel(V1({.alpha = 0.25, .resolution = 32, .classes = 2}));
  Embedder embed(model);
  for (const int threads : {1, 3}) {
    std::size_t next = 0;
    EmbedFiles(model, files, {.threads = threads}, [&](const Embedding& embedding) {
      ASSERT_EQ(embedding.index, next++);
      if (embedding.index == 7) {
        EXPECT_THAT(embedding.error, HasSubstr("7.bmp"));
        EXPECT_TRUE(embedding.values.empty());
      } else {
        EXPECT_EQ(embedding.values, embed.File(files[embedding.index]));
      }
    });
    EXPECT_EQ(next, files.size());
  }
}

TEST(Embed, CosineSimilarity) {
  const std::vector<float> a = {3, 4, 0};
  EXPECT_DOUBLE_EQ(CosineSimilarity(a, a), 1);
  EXPECT_DOUBLE_EQ(CosineSimilarity(a, std::vector<float>{-6, -8, 0}), -1);
  EXPECT_DOUBLE_EQ(CosineSimilarity(a, std::vector<float>{0, 0, 2}), 0);
  EXPECT_DOUBLE_EQ(CosineSimilarity(a, std::vector<float>{1, 0, 0}), 0.6);
  EXPECT_DOUBLE_EQ(CosineSimilarity(a, std::vector<float>{0, 0, 0}), 0);
  EXPECT_THAT(Complaint([&] { (void)CosineSimilarity(a, std::vector<float>{1}); }),
              HasSubstr("3 and 1 values"));
}

}  // namespace
}  // namespace mobilenet
