// The page of a training run, and what it is made of.
#include "report/training_page.h"

#include <fstream>

#include "gmock/gmock.h"
#include "report/answers.h"
#include "report/contact_sheet.h"
#include "report/html_check.h"
#include "report/thumbnails.h"
#include "temporary_directory.h"
#include "training/pictures_of_colours.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;
using testing::Not;

class TrainingPageTest : public testing::Test {
 protected:
  // Two pictures of the first class, one of the second, of which two are answered wrongly.
  TrainingPageTest() {
    Model& model = result_.model;
    model.network = V1({.alpha = 0.25, .resolution = 32, .classes = 3, .output_stride = 8});
    model.weights = RandomWeights(model.network, 1);
    model.labels = {"great white shark, white shark, man-eater, man-eating shark", "hen", "a<b"};
    for (int i = 0; i < 3; ++i) {
      const auto file = directory_.path() / ("picture" + std::to_string(i) + ".bmp");
      WriteColour(file, {150, 90, 90}, static_cast<std::uint32_t>(i));
      result_.validation.push_back({file, i / 2});
    }
    result_.training = {{directory_.path() / "trained.bmp", 2}};
    result_.answers = {{0, 0.95F}, {1, 0.55F}, {0, 0.97F}};
    result_.epochs = {{.epoch = 1,
                       .learning_rate = 0.1,
                       .training_loss = 0.875,
                       .training_accuracy = 0.5,
                       .validation_loss = 0.625,
                       .validation_accuracy = 0.25,
                       .seconds = 12}};
    result_.validation_accuracy = 0.75;  // of what was kept
  }

  [[nodiscard]] std::string Html() const { return TrainingPage(result_, options_).Html(); }

  TemporaryDirectory directory_;
  TrainingResult result_;
  TrainingPageOptions options_ = {.command = "mobilenet train photos"};
};

TEST_F(TrainingPageTest, TheAccuracyOnTestPicturesStandsBesideThatOfValidation) {
  EXPECT_THAT(Html(), Not(HasSubstr("test picture")));
  options_.tested.images = 8;
  options_.tested.top1 = 0.875;
  const std::string html = Html();
  EXPECT_EQ(FirstUnclosed(html), "");
  EXPECT_THAT(html, HasSubstr("<b>75.00 %</b><span>top-1 on 3 validation pictures</span>"));
  EXPECT_THAT(html, HasSubstr("<b>87.50 %</b><span>top-1 on 8 test pictures, once, in the end</span>"));
}

TEST_F(TrainingPageTest, OneEpochHasWordsAndNoCurve) {
  const std::string html = Html();
  EXPECT_EQ(FirstUnclosed(html), "");
  EXPECT_THAT(html, Not(HasSubstr("<svg")));
  EXPECT_THAT(html, Not(HasSubstr("varied")));
  EXPECT_THAT(html, Not(HasSubstr("epoch")));
  EXPECT_THAT(html,
              HasSubstr("Loss: 0.875 in training, 0.625 in validation; guessing among 3 classes costs 1.10. "
                        "Top-1: 50.0 % in training, 25.0 % in validation."));
  EXPECT_THAT(html, HasSubstr("<b>12 s</b>"));
  EXPECT_THAT(html, HasSubstr("<b>75.00 %</b>")) << "the model's, not the last epoch's";
  result_.epochs.push_back(result_.epochs.front());
  EXPECT_THAT(Html(), HasSubstr("<svg"));
}

TEST_F(TrainingPageTest, LongNamesAreShortInTheMatrixAndWrapElsewhere) {
  const std::string html = Html();
  const std::string whole = "great white shark, white shark, man-eater, man-eating shark";
  EXPECT_THAT(html, HasSubstr("<th class=\"turned\" title=\"" + whole + "\">great white shark</th>"));
  EXPECT_THAT(html, HasSubstr("<th title=\"" + whole + "\">great white shark</th>"));
  EXPECT_THAT(html, HasSubstr("<td class=\"name\">" + whole + "</td>"));
}

TEST_F(TrainingPageTest, MistakesAreNamedAndShown) {
  const std::string html = Html();
  EXPECT_LT(html.find("picture2.bmp</span>"), html.find("picture1.bmp</span>")) << "the surest first";
  EXPECT_THAT(html, Not(HasSubstr("picture0.bmp</span>"))) << "it is right";
  EXPECT_EQ(CountOf("<img ", html), 4U) << "each with a map";
  EXPECT_THAT(html, HasSubstr("<b>hen</b> is its label, great white shark the answer, 97 %"));
  EXPECT_THAT(html, HasSubstr("the 4 x 4 cells of its last feature map"));
  options_.max_pixels = 3;
  EXPECT_EQ(CountOf("<img ", Html()), 0U) << "what is too large to train on is too large to show";
  options_.max_pixels = kMaxPixels;
  std::filesystem::remove(directory_.path() / "picture2.bmp");
  EXPECT_EQ(CountOf("<img ", Html()), 2U) << "what is gone is left out";
  result_.model.network = V1({.alpha = 0.25, .resolution = 32, .classes = 3});
  const std::string single = Html();
  EXPECT_EQ(CountOf("<img ", single), 1U);
  EXPECT_THAT(single, HasSubstr("left out: the network's last feature map is a single cell"));
}

TEST_F(TrainingPageTest, ClassesTellRecallAndPrecisionTheWorstFirst) {
  const std::string html = Html();
  const std::string numbers = "</td><td class=\"right\">";
  EXPECT_THAT(html, HasSubstr("hen</td><td class=\"right\">1" + numbers + "0.0 %" + numbers + "0.0 %</td>"));
  EXPECT_THAT(html,
              HasSubstr("shark</td><td class=\"right\">2" + numbers + "50.0 %" + numbers + "50.0 %</td>"));
  EXPECT_LT(html.find("hen</td>"), html.find("man-eating shark</td>"));
  EXPECT_THAT(html, HasSubstr("<b>25.00 %</b><span>as a mean over classes</span>"));
  EXPECT_EQ(WorstText(ClassesOf(result_), result_.model), "mean over classes 25.00 %; worst: hen 0.0 % of 1");
  result_.answers[2].predicted = 1;
  EXPECT_EQ(WorstText(ClassesOf(result_), result_.model),
            "mean over classes 75.00 %; worst: great white shark 50.0 % of 2");
  result_.answers[1].predicted = 0;
  EXPECT_EQ(WorstText(ClassesOf(result_), result_.model), "") << "none is worse than another";
}

TEST_F(TrainingPageTest, ProbabilitiesStandBesideTheSharesThatAreRight) {
  const std::string html = Html();
  EXPECT_THAT(html, HasSubstr("90 to 100 %</span><span class=\"track\"><i class=\"depthwise\" "
                              "style=\"width:50.000%\"></i><b style=\"left:96.000%\"></b></span>"
                              "<span class=\"value\">50.0 % of 2</span>"));
  EXPECT_THAT(html, HasSubstr("50 to 60 %</span><span class=\"track\"><b style=\"left:55.000%\"></b></span>"
                              "<span class=\"value\">0.0 % of 1</span>"));
  EXPECT_THAT(html, HasSubstr("They are 49.0 % apart on average"));  // (0.92 + 0.55) / 3
  result_.model.provenance["calibrated"] = "temperature 2 on 3 pictures";
  EXPECT_THAT(Html(), HasSubstr("Calibrated: temperature 2 on 3 pictures."));
}

TEST(HeatPicture, IsWarmWhereTheMapIsAndDarkWhereNothingWasSeen) {
  Image image = {.width = 8, .height = 4, .channels = 3, .pixels = std::vector<std::uint8_t>(96, 200)};
  ActivationMap map;
  map.height = 2;
  map.width = 2;
  map.values = {-1, -1, -1, 5};
  map.part = {.left = 0.5, .top = 0, .right = 1, .bottom = 1};
  const Image heat = HeatPicture(image, map);
  const auto pixel = [&](int x, int y) { return &heat.pixels[static_cast<std::size_t>(y * 8 + x) * 3]; };
  EXPECT_GT(pixel(7, 3)[0], pixel(7, 3)[2] + 80) << "yellow below on the right";
  EXPECT_GT(pixel(7, 3)[1], 150);
  EXPECT_EQ(pixel(4, 0)[0], pixel(4, 0)[2]) << "grey above on the left";
  EXPECT_EQ(pixel(4, 0)[0], 170);
  EXPECT_EQ(pixel(3, 3)[0], 60) << "not seen";
  map.values = {1, 1, 1, 1};
  EXPECT_EQ(HeatPicture(image, map).pixels[3 * 7], 170) << "a map that is flat has no heat";
}

TEST_F(TrainingPageTest, AContactSheetKeepsTheFirstPhotos) {
  ContactSheet sheet;
  const Prediction best = {"great white shark, white shark, man-eater, man-eating shark", 0.625F, 0};
  for (std::size_t i = 0; i < ContactSheet::kMostPhotos; ++i)
    sheet.Add(i < 2 ? result_.validation[i].file : directory_.path() / "gone.bmp", {best, best, best, best});
  sheet.Add("more.bmp", {best});
  sheet.AddUnreadable();
  const std::string html = sheet.Make(result_.model, {}, "mobilenet classify").Html();
  EXPECT_EQ(FirstUnclosed(html), "");
  EXPECT_EQ(CountOf("<img ", html), 4U);
  EXPECT_EQ(CountOf("<figure>", html), ContactSheet::kMostPhotos);
  EXPECT_EQ(CountOf("<span class=\"value\">62.5 %</span>", html), 3 * ContactSheet::kMostPhotos);
  EXPECT_THAT(html, HasSubstr("1 photo more was classified"));
  EXPECT_THAT(html, HasSubstr("1 photo could not be read"));
  EXPECT_THAT(html, HasSubstr("gone.bmp: can't be opened"));
  EXPECT_THAT(html, Not(HasSubstr("more.bmp")));
}

}  // namespace
}  // namespace mobilenet
