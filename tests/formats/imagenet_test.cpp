#include "formats/imagenet.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/file.h"
#include "gmock/gmock.h"
#include "mobilenet/classifier.h"
#include "mobilenet/network.h"
#include "shared_data.h"
#include "temporary_directory.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;

Model ModelOf(int classes, int channels = 3) {
  Model model;
  V1Options options;
  options.alpha = 0.25;
  options.resolution = 32;
  options.classes = classes;
  options.input_channels = channels;
  model.network = V1(options);
  return model;
}

TEST(Imagenet, NamesAreDistinct) {
  Model model = ModelOf(1000);
  AssumeImagenetLabels(model);
  ASSERT_EQ(model.labels.size(), 1000U);
  EXPECT_EQ(std::set<std::string>(model.labels.begin(), model.labels.end()).size(), 1000U);
  EXPECT_EQ(model.labels[282], "tiger cat");
  EXPECT_EQ(model.labels[134], "crane (bird)");
  EXPECT_EQ(model.labels[517], "crane (machine)");
  EXPECT_TRUE(model.LabelsAreAssumed());
  EXPECT_EQ(model.provenance["labels"], "none in the file; 1000 classes: taken for ImageNet's");
}

TEST(Imagenet, ABackgroundComesFirstOf1001) {
  Model model = ModelOf(1001);
  AssumeImagenetLabels(model);
  ASSERT_EQ(model.labels.size(), 1001U);
  EXPECT_EQ(model.labels[0], "background");
  EXPECT_EQ(model.labels[283], "tiger cat");
  EXPECT_EQ(ClassOfWordnetId("n02123159", model), 283);
}

TEST(Imagenet, OtherNetworksAndLabelsStayAsTheyAre) {
  for (Model model : {ModelOf(999), ModelOf(1002), ModelOf(10), ModelOf(1000, 1)}) {
    AssumeImagenetLabels(model);
    EXPECT_TRUE(model.labels.empty());
    EXPECT_FALSE(model.LabelsAreAssumed());
    EXPECT_EQ(ClassOfWordnetId("n02123159", model), std::nullopt);
  }
  Model model = ModelOf(1000);
  model.labels.assign(1000, "mine");
  AssumeImagenetLabels(model);
  EXPECT_EQ(model.labels[282], "mine");
  EXPECT_FALSE(model.LabelsAreAssumed());
  EXPECT_EQ(ClassOfWordnetId("n02123159", model), std::nullopt);
}

TEST(Imagenet, LabelsThatAreGivenLaterAreNoAssumption) {
  Model model = ModelOf(1000);
  AssumeImagenetLabels(model);
  model.labels[0] = "mine";
  EXPECT_FALSE(model.LabelsAreAssumed());
}

TEST(Imagenet, WordnetIds) {
  Model model = ModelOf(1000);  // without labels, as LoadSafetensors leaves it
  EXPECT_EQ(ClassOfWordnetId("n02123159", model), 282);
  EXPECT_EQ(ClassOfWordnetId("n01440764", model), 0);
  EXPECT_EQ(ClassOfWordnetId("n15075141", model), 999);
  for (const char* none :
       {"n02123158", "n99999999", "n0212315", "n021231590", "N02123159", "n0212315x", "n1440764x", "", "282"})
    EXPECT_EQ(ClassOfWordnetId(none, model), std::nullopt) << none;
}

// The list that TensorFlow's models come with: a background, then all words of each class.
TEST(Imagenet, TheOrderIsThatOfOtherLists) {
  MOBILENET_REQUIRE_DATA();
  const std::vector<std::string> lines = ReadLines(SharedData() / "labels" / "imagenet_1001.txt");
  ASSERT_GE(lines.size(), 1001U);
  Model model = ModelOf(1000);
  AssumeImagenetLabels(model);
  for (std::size_t i = 0; i < 1000; ++i) {
    const std::string& name = model.labels[i];
    EXPECT_THAT(lines[i + 1], testing::StartsWith(name.substr(0, name.find(" (")))) << i;
  }
  model.labels.assign(lines.begin() + 1, lines.begin() + 1001);
  EXPECT_EQ(ClassOfWordnetId("n02123159", model), 282) << "by labels of another list";
}

TEST(Imagenet, PublishedWeightsGetNamesAndFoldersOfWordnetAreMatched) {
  MOBILENET_REQUIRE_DATA();
  const Model model = Model::Load(SharedData() / "models" / "mobilenet_v1_0.25_224.safetensors");
  EXPECT_TRUE(model.LabelsAreAssumed());
  EXPECT_EQ(model.Label(282), "tiger cat");
  const TemporaryDirectory directory;
  for (const char* folder : {"n02123159", "n01440764", "7"}) {
    std::filesystem::create_directory(directory.path() / folder);
    std::filesystem::copy_file(MOBILENET_SOURCE_DIR "/tests/data/stripes.png",
                               directory.path() / folder / "a.png");
  }
  const std::vector<Sample> samples = LoadSamples(directory.path(), model);
  ASSERT_EQ(samples.size(), 3U);
  std::vector<int> classes;
  for (const Sample& sample : samples) classes.push_back(sample.label);
  EXPECT_THAT(classes, testing::UnorderedElementsAre(282, 0, 7));
}

}  // namespace
}  // namespace mobilenet
