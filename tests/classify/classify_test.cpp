// The classifier, streams of files and labelled sets, with a small network of random weights and pictures
// made here.
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <set>
#include <string>

#include "complaint.h"
#include "gmock/gmock.h"
#include "mobilenet/mobilenet.h"
#include "temporary_directory.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;

// A 24-bit BMP of one colour.
std::string Bmp(int side, unsigned char red, unsigned char green, unsigned char blue) {
  std::string bytes(54, '\0');
  const auto put = [&](std::size_t at, std::uint32_t value) {
    for (int i = 0; i < 4; ++i) bytes[at + i] = static_cast<char>(value >> (8 * i));
  };
  const int pitch = (3 * side + 3) / 4 * 4;
  bytes[0] = 'B';
  bytes[1] = 'M';
  put(2, 54 + pitch * side);
  put(10, 54);
  put(14, 40);
  put(18, side);
  put(22, side);
  put(26, 1 | 24U << 16);
  for (int y = 0; y < side; ++y) {
    std::string row;
    for (int x = 0; x < side; ++x)
      row += {static_cast<char>(blue), static_cast<char>(green), static_cast<char>(red)};
    row.resize(pitch);
    bytes += row;
  }
  return bytes;
}

class ClassifyTest : public testing::Test {
 protected:
  ClassifyTest() {
    model_.network = V1({.alpha = 0.25, .resolution = 32, .classes = 3});
    model_.weights = RandomWeights(model_.network, 1);
    model_.labels = {"red", "green", "blue"};
  }

  std::filesystem::path Write(const std::filesystem::path& name, const std::string& bytes) {
    const auto path = directory_.path() / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }

  static std::span<const std::uint8_t> Bytes(const std::string& text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
  }

  [[nodiscard]] std::vector<float> LogitsOf(const Image& image) const {
    std::vector<float> input(static_cast<std::size_t>(model_.network.input.size()));
    std::vector<float> logits(static_cast<std::size_t>(model_.network.output().size()));
    Preprocess(image, model_.preprocessing, model_.network.input.width, model_.network.input.height, 3,
               input);
    EXPECT_TRUE(Runner(Plan(model_.network, model_.weights)).Run(input, logits));
    return logits;
  }

  std::string ComplaintOfSamples(const std::filesystem::path& path) {
    try {
      LoadSamples(path, model_);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  TemporaryDirectory directory_;
  Model model_;
};

TEST_F(ClassifyTest, FileBytesAndPixelsAgree) {
  const std::string bytes = Bmp(40, 200, 30, 30);
  const auto path = Write("a.bmp", bytes);
  Classifier classify(model_, {.threads = 2});
  const auto from_file = classify.File(path);
  ASSERT_EQ(from_file.size(), 3U);
  float sum = 0;
  for (const auto& [label, probability, index] : from_file) {
    EXPECT_EQ(label, model_.labels[index]);
    sum += probability;
  }
  EXPECT_NEAR(sum, 1, 1e-5);
  EXPECT_GE(from_file[0].probability, from_file[1].probability);
  const auto from_bytes = classify.Bytes({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  const auto from_pixels = classify.Pixels(LoadImage(path), {.top = 1});
  ASSERT_EQ(from_pixels.size(), 1U);
  EXPECT_EQ(from_bytes[0].probability, from_file[0].probability);
  EXPECT_EQ(from_pixels[0].probability, from_file[0].probability);
  Classifier copy = classify;
  EXPECT_EQ(copy.File(path)[0].probability, from_file[0].probability);
}

TEST_F(ClassifyTest, WithoutLabelsClassesAreNumbers) {
  model_.labels.clear();
  Classifier classify(model_);
  for (const Prediction& p : classify.File(Write("a.bmp", Bmp(32, 1, 2, 3))))
    EXPECT_EQ(p.label, std::to_string(p.index));
}

TEST_F(ClassifyTest, RefusesModelsWithTheWrongNumberOfLabels) {
  model_.labels.pop_back();
  EXPECT_THROW(Classifier{model_}, Error);
}

TEST_F(ClassifyTest, AnAnswerThatIsNotFiniteIsAnError) {
  for (auto& [name, tensor] : model_.weights) {
    if (name.starts_with("classifier.") || name.ends_with(".beta")) {
      const float value =
          name.ends_with(".beta") ? 1.0F : 3e38F;  // every feature is above 0, and every sum overflows
      std::vector<float> huge(tensor.values.size(), value);
      tensor = Tensor::Of(tensor.shape, std::move(huge));
    }
  }
  Classifier classify(model_);
  const auto file = Write("a.bmp", Bmp(32, 200, 100, 50));
  EXPECT_THAT(Complaint([&] { classify.File(file); }),
              HasSubstr(file.string() + ": the network's answer is not finite"));
  const std::string bytes = Bmp(32, 1, 2, 3);
  const std::span<const std::uint8_t> encoded(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                              bytes.size());
  EXPECT_THAT(Complaint([&] { classify.Bytes(encoded, {}, "the third"); }),
              HasSubstr("the third: the network's"));
}

TEST_F(ClassifyTest, PreprocessingThatLeadsNowhereIsRefused) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const auto complaint = [&](auto edit) {
    Model model = model_;
    edit(model.preprocessing);
    const Image image = {.width = 8, .height = 8, .channels = 3, .pixels = std::vector<std::uint8_t>(192)};
    std::vector<float> input(32 * 32 * 3);
    const std::string text = Complaint([&] { Classifier{model}; });
    // Everything that takes one says the same.
    EXPECT_EQ(text, Complaint([&] { CheckPreprocessing(model.preprocessing); }));
    EXPECT_EQ(text, Complaint([&] { Preprocess(image, model.preprocessing, 32, 32, 3, input); }));
    EXPECT_EQ(text, Complaint([&] { CropBox(8, 8, model.preprocessing); }));
    EXPECT_EQ(text, Complaint([&] { DecodeOptionsFor(model.preprocessing, 32, 32); }));
    return text;
  };
  EXPECT_THAT(complaint([](auto& p) { p.scale[2] = kNan; }), HasSubstr("the scale of channel 2 is nan"));
  EXPECT_THAT(complaint([](auto& p) { p.scale[0] = kInfinity; }), HasSubstr("the scale of channel 0 is inf"));
  EXPECT_THAT(complaint([](auto& p) { p.scale[1] = 0; }), HasSubstr("the scale of channel 1 is 0"));
  EXPECT_THAT(complaint([](auto& p) { p.mean[1] = kNan; }), HasSubstr("the mean of channel 1 is nan"));
  EXPECT_THAT(complaint([](auto& p) { p.mean[0] = -kInfinity; }), HasSubstr("the mean of channel 0 is -inf"));
  EXPECT_THAT(complaint([](auto& p) { p.scale[0] = 3e38F; }), HasSubstr("leaves the range of numbers"));
  EXPECT_THAT(complaint([](auto& p) { p.crop = kNan; }), HasSubstr("crop of nan"));
  EXPECT_THAT(complaint([](auto& p) { p.crop = 1.01F; }), HasSubstr("crop of 1.01"));
  EXPECT_EQ(complaint([](auto&) {}), "no error");
}

TEST_F(ClassifyTest, EqualProbabilitiesComeInTheOrderOfTheirClasses) {
  Model model = model_;
  model.network = V1({.alpha = 0.25, .resolution = 32, .classes = 50});
  model.weights = RandomWeights(model.network, 1);
  model.labels.clear();
  Tensor& weight = model.weights.at("classifier.weight");
  weight = Tensor::Of(weight.shape, std::vector<float>(weight.values.size()));
  std::vector<float> bias(50);
  bias[30] = 1;
  model.weights.at("classifier.bias") = Tensor::Of({50}, bias);
  const auto best = Classifier(model).File(Write("a.bmp", Bmp(32, 200, 10, 10)), {.top = 20});
  ASSERT_EQ(best.size(), 20U);
  EXPECT_EQ(best[0].index, 30);
  for (int i = 1; i < 20; ++i) EXPECT_EQ(best[i].index, i - 1);
}

TEST_F(ClassifyTest, SigmoidsGiveEachLabelAProbabilityOfItsOwn) {
  const Image image = DecodeImage(Bytes(Bmp(32, 200, 10, 10)));
  const std::vector<float> logits = LogitsOf(image);
  model_.answers = Answers::kSigmoid;
  const auto answers = Classifier(model_).Pixels(image);
  ASSERT_EQ(answers.size(), 3U);
  for (const Prediction& p : answers) EXPECT_NEAR(p.probability, 1 / (1 + std::exp(-logits[p.index])), 1e-6);
}

TEST_F(ClassifyTest, OneSigmoidTellsTwoClassesApart) {
  model_.network = V1({.alpha = 0.25, .resolution = 32, .classes = 1});
  model_.weights = RandomWeights(model_.network, 1);
  model_.labels = {"not", "hot dog"};
  EXPECT_THAT(Complaint([&] { Classifier{model_}; }), HasSubstr("2 labels, expected 1"));
  model_.answers = Answers::kSigmoid;
  const auto file = Write("a.bmp", Bmp(32, 200, 10, 10));
  for (const float bias : {30.0F, -30.0F}) {
    model_.weights.at("classifier.bias") = Tensor::Of({1}, {bias});
    const auto answers = Classifier(model_).File(file);
    ASSERT_EQ(answers.size(), 2U);
    EXPECT_EQ(answers[0].label, bias > 0 ? "hot dog" : "not");
    EXPECT_EQ(answers[0].index, bias > 0 ? 1 : 0);
    EXPECT_GT(answers[1].probability, 0) << "the rest, however small";
    EXPECT_LT(answers[1].probability, 1e-10);
    const std::vector<Sample> samples = {{file, 0}, {file, 1}, {file, 1}};
    const Evaluation result = Evaluate(model_, samples, {}, [](const FileResult&) {});
    EXPECT_NEAR(result.top1, bias > 0 ? 2.0 / 3 : 1.0 / 3, 1e-9);
    EXPECT_EQ(result.classes.size(), 2U);
  }
  Write("set/hot dog/1.bmp", Bmp(8, 0, 0, 255));
  Write("set/not/1.bmp", Bmp(8, 0, 0, 255));
  EXPECT_EQ(LoadSamples(directory_.path() / "set", model_)[0].label, 1);
  model_.labels.clear();
  EXPECT_EQ(LoadSamples(directory_.path() / "set", model_)[0].label, 0) << "in alphabetical order";
}

TEST_F(ClassifyTest, OneOutputAndASoftmaxIsNoChoice) {
  model_.network = V1({.alpha = 0.25, .resolution = 32, .classes = 1});
  model_.weights = RandomWeights(model_.network, 1);
  model_.labels.clear();
  EXPECT_THAT(Complaint([&] { Classifier{model_}; }), HasSubstr("1 output and a softmax behind it"));
}

TEST_F(ClassifyTest, ANetworkWithoutAClassifierIsRefused) {
  Network& network = model_.network;
  network.layers.resize(5);
  network.recipe.reset();
  model_.weights = RandomWeights(network, 1);
  model_.labels.clear();
  EXPECT_THAT(Complaint([&] { Classifier classifier(model_); }), HasSubstr("it has no classifier"));
  model_.network = V1({.alpha = 0.25, .resolution = 32, .classes = 0});
  model_.weights = RandomWeights(model_.network, 1);
  EXPECT_THAT(Complaint([&] { Classifier classifier(model_); }),
              HasSubstr("has no classifier and yields 256 features"));
  Write("set/0/1.bmp", Bmp(8, 0, 0, 255));
  EXPECT_THAT(ComplaintOfSamples(directory_.path() / "set"), HasSubstr("has no classifier"));
}

TEST_F(ClassifyTest, ArgumentsOutOfRangeAreRefused) {
  const auto file = Write("a.bmp", Bmp(32, 200, 10, 10));
  const std::filesystem::path files[] = {file};
  const auto ignore = [](const FileResult&) {};
  for (const int top : {0, -1}) {
    EXPECT_THAT(Complaint([&] { Classifier(model_).File(file, {.top = top}); }),
                HasSubstr("expected at least 1"));
    EXPECT_THAT(Complaint([&] { ClassifyFiles(model_, files, {.top = top}, ignore); }),
                HasSubstr("at least 1"));
  }
  for (const int threads : {0, 257}) {
    EXPECT_THAT(Complaint([&] { Classifier(model_, {.threads = threads}); }), HasSubstr("expected 1 to 256"));
    EXPECT_THAT(Complaint([&] { ClassifyFiles(model_, files, {.threads = threads}, ignore); }),
                HasSubstr("1 to 256"));
  }
  EXPECT_THAT(Complaint([&] { ClassifyFiles(model_, files, {}, nullptr); }), HasSubstr("no function"));
  EXPECT_THAT(Complaint([&] { Evaluate(model_, {}, {}, nullptr); }), HasSubstr("no function"));
  EXPECT_THAT(Complaint([&] { Classifier(model_, {.max_pixels = 0}); }), HasSubstr("max_pixels is 0"));
  EXPECT_THAT(Complaint([&] { Classifier(model_, {.max_pixels = 1023}).File(file); }),
              HasSubstr("expected at most 1023"));
  EXPECT_EQ(Complaint([&] { Classifier(model_, {.max_pixels = 1024}).File(file); }), "no error");
  for (const int label : {-1, 3}) {
    const Sample samples[] = {{file, 0}, {file, label}};
    int asked = 0;
    EXPECT_THAT(Complaint([&] { Evaluate(model_, samples, {}, [&](const FileResult&) { ++asked; }); }),
                HasSubstr("a.bmp: is of class " + std::to_string(label) + ", expected 0 to 2"));
    EXPECT_EQ(asked, 0);
  }
  EXPECT_EQ(model_.Label(-1), "-1");
  EXPECT_EQ(model_.Label(3), "3");
  EXPECT_EQ(model_.Label(2), "blue");
}

TEST_F(ClassifyTest, FilesComeInOrderAndBadOnesAreReported) {
  std::vector<std::filesystem::path> files;
  for (int i = 0; i < 60; ++i) {
    const bool bad = i % 7 == 3;
    const auto c = static_cast<unsigned char>(4 * i);
    files.push_back(Write(std::to_string(i), bad ? "not a picture" : Bmp(20 + i, c, 10, 20)));
  }
  files.push_back(directory_.path() / "missing.jpg");
  for (const int threads : {1, 4, 20}) {
    std::size_t next = 0;
    ClassifyFiles(model_, files, {.threads = threads, .top = 2}, [&](const FileResult& result) {
      EXPECT_EQ(result.index, next++);
      const bool bad = result.index % 7 == 3 || result.index == 60;
      EXPECT_EQ(result.error.empty(), !bad);
      if (bad) {
        EXPECT_THAT(result.error, HasSubstr(files[result.index].string()));
      }
      EXPECT_EQ(result.predictions.size(), bad ? 0U : 2U);
    });
    EXPECT_EQ(next, files.size());
  }
}

TEST_F(ClassifyTest, AnExceptionOfTheCallerEndsTheWork) {
  std::vector<std::filesystem::path> files(200, Write("a.bmp", Bmp(32, 1, 2, 3)));
  int seen = 0;
  const auto stop = [&](const FileResult&) {
    if (++seen == 3) throw std::runtime_error("enough");
  };
  EXPECT_THROW(ClassifyFiles(model_, files, {.threads = 3}, stop), std::runtime_error);
  EXPECT_EQ(seen, 3);
}

TEST_F(ClassifyTest, FindsImagesByContentAndByName) {
  Write("b/photo.JPG", "broken");
  Write("a/no_extension", Bmp(8, 1, 2, 3));
  Write("a/notes.txt", "text");
  Write(".hidden/x.bmp", Bmp(8, 1, 2, 3));
  Write("a/.x.bmp", Bmp(8, 1, 2, 3));
  const auto files = FindImages(directory_.path());
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[0].filename(), "no_extension");
  EXPECT_EQ(files[1].filename(), "photo.JPG");
  EXPECT_THROW(FindImages(directory_.path() / "missing"), Error);
  // A link to itself is reported with the pictures if it is named as one, and stops nothing.
  std::filesystem::create_symlink("loop.jpg", directory_.path() / "loop.jpg");
  std::filesystem::create_symlink("loop", directory_.path() / "loop");
  EXPECT_EQ(FindImages(directory_.path()).size(), 3U);
  // Links to folders are followed, once, and never back.
  Write("outside/linked.bmp", Bmp(8, 1, 2, 3));
  std::filesystem::create_directory_symlink("../outside", directory_.path() / "b" / "link");
  std::filesystem::create_directory_symlink("..", directory_.path() / "b" / "back");
  std::filesystem::create_directory_symlink(".", directory_.path() / "b" / "itself");
  const auto linked = FindImages(directory_.path() / "b");
  ASSERT_EQ(linked.size(), 2U);
  EXPECT_EQ(linked[0], directory_.path() / "b" / "link" / "linked.bmp");
  for (const char* clutter : {"__MACOSX/x.bmp", "@eaDir/x.bmp", "$RECYCLE.BIN/x.bmp", "a/._y.bmp"})
    Write(clutter, Bmp(8, 1, 2, 3));
  std::filesystem::remove_all(directory_.path() / "outside");
  std::filesystem::remove_all(directory_.path() / "b" / "link");
  EXPECT_EQ(FindImages(directory_.path()).size(), 3U);
  // So are formats that are not read.
  Write("a/phone.HEIC", "");
  Write("a/moving.gif", "GIF89a");
  EXPECT_EQ(FindImages(directory_.path()).size(), 5U);
}

TEST_F(ClassifyTest, FoldersThatCannotBeReadAreReportedWithThePictures) {
  namespace fs = std::filesystem;
  Write("set/a.bmp", Bmp(8, 1, 2, 3));
  Write("set/closed/b.bmp", Bmp(8, 1, 2, 3));
  fs::permissions(directory_.path(), fs::perms::all);
  fs::permissions(directory_.path() / "set" / "closed", fs::perms::none);
  const uid_t user = geteuid();
  ASSERT_EQ(user == 0 ? seteuid(65534) : 0, 0);  // who may read everything would meet nothing
  const auto files = FindImages(directory_.path() / "set");
  const std::string complaint = Complaint([&] { FindImages(directory_.path() / "set" / "closed"); });
  const std::string reading = Complaint([&] { LoadImage(files.back()); });
  ASSERT_EQ(seteuid(user), 0);
  fs::permissions(directory_.path() / "set" / "closed", fs::perms::all);
  EXPECT_EQ(files.size(), 2U);
  EXPECT_THAT(complaint, HasSubstr("closed: can't be read: Permission denied"));
  EXPECT_THAT(reading, HasSubstr("closed: can't be opened: Permission denied"));
}

TEST_F(ClassifyTest, SamplesFromFolders) {
  Write("set/blue/1.bmp", Bmp(8, 0, 0, 255));
  Write("set/red/1.bmp", Bmp(8, 255, 0, 0));
  Write("set/red/2.bmp", Bmp(8, 255, 0, 0));
  const auto samples = LoadSamples(directory_.path() / "set", model_);
  ASSERT_EQ(samples.size(), 3U);
  EXPECT_EQ(samples[0].label, 2);
  EXPECT_EQ(samples[1].label, 0);
  Write("set/violet/1.bmp", "");
  EXPECT_THAT(ComplaintOfSamples(directory_.path() / "set"), HasSubstr("violet: is named after no class"));
  std::filesystem::create_directory(directory_.path() / "empty");
  EXPECT_THAT(ComplaintOfSamples(directory_.path() / "empty"), HasSubstr("no folders"));
}

TEST_F(ClassifyTest, FoldersOfAModelWithoutLabelsAreNumberedOrInOrder) {
  model_.labels.clear();
  Write("set/0/1.bmp", Bmp(8, 0, 0, 255));
  Write("set/2/1.bmp", Bmp(8, 255, 0, 0));
  EXPECT_EQ(LoadSamples(directory_.path() / "set", model_)[1].label, 2);
  for (const char* name : {"x", "y", "z"})
    Write(std::filesystem::path("named") / name / "1.bmp", Bmp(8, 1, 1, 1));
  EXPECT_EQ(LoadSamples(directory_.path() / "named", model_)[2].label, 2);
}

TEST_F(ClassifyTest, SamplesFromALists) {
  Write("one.bmp", Bmp(8, 1, 1, 1));
  Write("list/two.bmp", Bmp(8, 1, 1, 1));
  const auto list = Write("list.tsv", "file\tclass\none.bmp\tgreen\r\n\ntwo.bmp\t2\n");
  const auto samples = LoadSamples(list, model_);
  ASSERT_EQ(samples.size(), 2U);
  EXPECT_EQ(samples[0].label, 1);
  EXPECT_EQ(samples[0].file, directory_.path() / "one.bmp");
  EXPECT_EQ(samples[1].label, 2);
  EXPECT_EQ(samples[1].file, directory_.path() / "list" / "two.bmp");
  EXPECT_THAT(ComplaintOfSamples(Write("bad.tsv", "one.bmp\tgreen\none.bmp green\n")), HasSubstr("line 2"));
  EXPECT_THAT(ComplaintOfSamples(Write("bad.tsv", "one.bmp\t3\n")), HasSubstr("the class \"3\""));
  EXPECT_THAT(ComplaintOfSamples(Write("bad.tsv", "one.bmp\t2x\n")), HasSubstr("the class \"2x\""));
  EXPECT_THAT(ComplaintOfSamples(Write("bad.tsv", "file\tclassic\none.bmp\tgreen\n")),
              HasSubstr("line 1 has the class \"classic\""));  // no heading
  const auto parts = Write("parts.csv", "class,path,split\ngreen,one.bmp,Train\n2,two.bmp,testing\n");
  std::vector<std::string> told;
  const auto tested = LoadSamples(parts, model_, [&](const std::string& text) { told.push_back(text); });
  ASSERT_EQ(tested.size(), 1U) << "those to test with, where none are to validate with";
  EXPECT_EQ(tested[0].label, 2);
  EXPECT_THAT(told, testing::ElementsAre(HasSubstr("the column \"path\" is read as the picture")));
  EXPECT_THAT(ComplaintOfSamples(Write("bad.tsv", "")), HasSubstr("no pictures"));
  EXPECT_THAT(ComplaintOfSamples(directory_.path() / "missing.tsv"), HasSubstr("can't be opened"));
  // A heading may name columns that are for people.
  const auto wide =
      Write("wide.tsv",
            "file\tclass\tsplit\tanswer\tprobability\none.bmp\tgreen\tval\tred\t0.9\none.bmp\tred\ttrain\n");
  ASSERT_EQ(LoadSamples(wide, model_).size(), 1U);
  EXPECT_EQ(LoadSamples(wide, model_)[0].label, 1);
  EXPECT_THAT(ComplaintOfSamples(Write("bad.tsv", "file\tclass\tsplit\none.bmp\tgreen\tval\tred\n")),
              HasSubstr("line 2"));
  model_.labels[1] = "red";
  EXPECT_THAT(ComplaintOfSamples(Write("bad.tsv", "one.bmp\tred\n")), HasSubstr("several classes"));
}

TEST_F(ClassifyTest, EvaluationCountsRightWrongAndUnreadable) {
  const auto good = Write("a.bmp", Bmp(32, 200, 10, 10));
  const int answer = Classifier(model_).File(good)[0].index;
  const int other = (answer + 1) % 3;
  const std::vector<Sample> samples = {
      {good, answer}, {good, answer}, {good, other}, {Write("b.bmp", "BM"), 0}};
  const Evaluation result = Evaluate(model_, samples, {.threads = 2}, [](const FileResult&) {});
  EXPECT_EQ(result.images, 3);
  EXPECT_EQ(result.failed, 1);
  EXPECT_NEAR(result.top1, 2.0 / 3, 1e-9);
  EXPECT_EQ(result.top5, 1);
  EXPECT_EQ(result.classes[answer].top1, 2);
  EXPECT_EQ(result.classes[other].images, 1);
  EXPECT_EQ(result.classes[other].top1, 0);
  EXPECT_EQ(result.classes[answer].answered, 3) << "a precision of 2 in 3";
  EXPECT_EQ(result.classes[other].answered, 0);
  EXPECT_NEAR(BalancedAccuracy(result.classes), 0.5, 1e-9) << "1 and 0; the third class has no pictures";
  const double p = Classifier(model_).File(good)[0].probability;
  EXPECT_NEAR(result.reliability.Error(), std::abs(2 - 3 * p) / 3, 1e-6);
}

TEST(Reliability, IsTheMeanGapOfTenBins) {
  Reliability reliability;
  EXPECT_EQ(reliability.Error(), 0);
  reliability.Add(0.95, true);
  reliability.Add(0.95, false);
  reliability.Add(0.55, true);
  EXPECT_NEAR(reliability.Error(), (0.9 + 0.45) / 3, 1e-9);
  reliability.Add(1, true);
  reliability.Add(0, false);
  EXPECT_EQ(reliability.bins[9].images, 3);
  EXPECT_EQ(reliability.bins[9].right, 2);
  EXPECT_EQ(reliability.bins[5].images, 1);
  EXPECT_EQ(reliability.bins[0].images, 1);
  EXPECT_NEAR(reliability.Error(), (0.9 + 0.45) / 5, 1e-9) << "0.9 of 2.9 and 2; nothing in the first";
}

}  // namespace
}  // namespace mobilenet
