#include "report/pages.h"

#include <algorithm>
#include <numbers>
#include <regex>
#include <sstream>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "report/chart.h"
#include "report/html_check.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;
using testing::Not;

void ExpectStandsAlone(const std::string& html) {
  EXPECT_THAT(html, testing::StartsWith("<!DOCTYPE html>"));
  EXPECT_EQ(FirstUnclosed(html), "");
  for (const char* outside : {"http://", "https://", "src=", "href=", "@import", "url(", "<script"}) {
    EXPECT_THAT(html, Not(HasSubstr(outside)));
  }
  EXPECT_THAT(html, Not(HasSubstr("nan")));
  EXPECT_THAT(html, Not(HasSubstr("inf\"")));
}

TEST(Html, Escapes) { EXPECT_EQ(Escaped("a<b> & \"c\""), "a&lt;b&gt; &amp; &quot;c&quot;"); }

TEST(Html, TextOfOthersStaysText) {
  Page page("<script>");
  page.Rows({"a", ">b"}, {{"<i>", "1"}});
  page.Code("mobilenet cost --model '<b>'");
  ExpectStandsAlone(page.Html());
  EXPECT_THAT(page.Html(), HasSubstr("<td class=\"right\">1</td>"));
}

TEST(Chart, BarsAreToOneScale) {
  const std::string html = BarChart(
      {{"long", {{"standard", 200}}, "200"}, {"short", {{"depthwise", 20}, {"pointwise", 30}}, "50"}});
  EXPECT_THAT(html, HasSubstr("class=\"standard\" style=\"width:100.000%\""));
  EXPECT_THAT(html, HasSubstr("class=\"depthwise\" style=\"width:10.000%\""));
  EXPECT_THAT(html, HasSubstr("class=\"pointwise\" style=\"width:15.000%\""));
}

TEST(Chart, BarsMayHaveAScaleAndAMark) {
  const std::string html = BarChart({{"a", {{"depthwise", 25}}, "25 %", 40.0}, {"b", {}, "none"}}, 100);
  EXPECT_EQ(FirstUnclosed(html), "");
  EXPECT_THAT(html, HasSubstr("class=\"depthwise\" style=\"width:25.000%\""));
  EXPECT_EQ(CountOf("<b style=\"left:40.000%\">", html), 1U);
  EXPECT_EQ(CountOf("<b style", html), 1U);
}

TEST(Chart, DotsLieInsideAndLabelsApart) {
  Scatter scatter{{}, "ms", "percent", 5.0};
  for (int i = 1; i <= 20; ++i) scatter.dots.push_back({0.5 * i, 40.0 + i, 1, "chosen", "1-224", "hint"});
  const std::string both = ScatterChart(scatter);
  const std::string html = both.substr(0, both.find("<svg class=\"narrow\""));
  EXPECT_EQ(FirstUnclosed(html), "");
  const std::regex circle(R"rx(cx="([-0-9.]+)" cy="([-0-9.]+)")rx");
  int dots = 0;
  for (std::sregex_iterator it(html.begin(), html.end(), circle), end; it != end; ++it, ++dots) {
    EXPECT_GT(std::stod((*it)[1]), 0);
    EXPECT_LT(std::stod((*it)[1]), 760);
    EXPECT_GT(std::stod((*it)[2]), 0);
    EXPECT_LT(std::stod((*it)[2]), 420);
  }
  EXPECT_EQ(dots, 20);
  // Labels: inside, and no two over each other.
  const std::regex label(R"rx(<text class="strong" x="([-0-9.]+)" y="([-0-9.]+)")rx");
  std::vector<std::pair<double, double>> places;
  for (std::sregex_iterator it(html.begin(), html.end(), label), end; it != end; ++it) {
    places.emplace_back(std::stod((*it)[1]), std::stod((*it)[2]));
  }
  EXPECT_GE(places.size(), 5U);
  for (std::size_t i = 0; i < places.size(); ++i) {
    EXPECT_GE(places[i].first, 0);
    EXPECT_LE(places[i].first + 30, 760);
    for (std::size_t j = 0; j < i; ++j) {
      EXPECT_TRUE(std::abs(places[i].first - places[j].first) > 30 ||
                  std::abs(places[i].second - places[j].second) > 11);
    }
  }
  EXPECT_EQ(ScatterChart({}), "");
}

TEST(Chart, MarksAreOfOneAreaAroundTheirDots) {
  const std::vector<Mark> marks = {Mark::kCircle, Mark::kSquare, Mark::kTriangle, Mark::kDiamond};
  Scatter scatter{{}, "ms", "percent", std::nullopt};
  std::vector<MarkItem> items;
  for (const Mark mark : marks) {
    const auto i = static_cast<double>(scatter.dots.size());
    scatter.dots.push_back({1 + i, 50 + i, 1, "timed", "", "hint", mark});
    items.push_back({mark, "version"});
  }
  const std::string both = ScatterChart(scatter);
  EXPECT_EQ(FirstUnclosed(both + MarkLegend(items)), "");
  const std::string html = both.substr(0, both.find("<svg class=\"narrow\""));
  const std::regex polygon(R"rx(<polygon class="timed" points="([-0-9., ]+)"><title>hint</title>)rx");
  std::vector<std::size_t> corners;
  for (std::sregex_iterator it(html.begin(), html.end(), polygon), end; it != end; ++it) {
    std::vector<std::pair<double, double>> points;
    std::istringstream text((*it)[1]);
    char comma = 0;
    for (double x = 0, y = 0; text >> x >> comma >> y;) points.emplace_back(x, y);
    double area = 0;
    for (std::size_t i = 0; i < points.size(); ++i) {
      const auto& [x, y] = points[i];
      const auto& [next_x, next_y] = points[(i + 1) % points.size()];
      area += (x * next_y - next_x * y) / 2;
    }
    EXPECT_NEAR(area, std::numbers::pi * 9 * 9, 6) << (*it)[1];  // the largest dot's radius is 9
    corners.push_back(points.size());
  }
  EXPECT_THAT(corners, testing::ElementsAre(4, 3, 4));
  EXPECT_THAT(html, HasSubstr("<circle class=\"timed\""));
}

TEST(Chart, LimitsFarFromAllDotsStayOutside) {
  for (const double limit : {5e-324, 1e-9, 1e4, 1e300}) {
    const Scatter scatter{{{1, 50, 1, "open", "", ""}, {10, 60, 1, "open", "", ""}}, "ms", "percent", limit};
    const std::string html = ScatterChart(scatter);
    EXPECT_THAT(html, Not(HasSubstr("class=\"limit\"")));
    EXPECT_LT(html.size(), 10'000U);
  }
}

TEST(Pages, CostOfSeparableAndStandardNetworks) {
  for (const bool separable : {true, false}) {
    const Network network = V1({.alpha = 0.5, .separable = separable});
    const std::string html = CostPage(network, CostOf(network), Precision::kFloat32, "mobilenet cost").Html();
    ExpectStandsAlone(html);
    EXPECT_EQ(html.find("Every block, standard and separable") != std::string::npos, separable);
    EXPECT_THAT(html, HasSubstr("classifier"));
  }
}

TEST(Pages, PaperHasEveryTable) {
  const std::string html = PaperPage(ReproducePaper(), "mobilenet paper").Html();
  ExpectStandsAlone(html);
  for (const PaperTable& table : ReproducePaper().tables)
    EXPECT_THAT(html, HasSubstr("Table " + std::to_string(table.number) + ". " + table.title));
}

TEST(Pages, FitWithAndWithoutChoices) {
  FitResult result;
  result.grid = FitGrid();
  FitOptions options{.limits = {.latency_ms = 2}};
  result.nearest = result.grid.front();
  result.binding = {{"macs", 13.6e6, 1e3}};
  EXPECT_EQ(MissText(result),
            "no network meets the limits: the nearest, v1-0.25-128, has 13.6 M mult-adds, allowed 1.00 k");
  ExpectStandsAlone(FitPage(result, options, "a <processor>", "mobilenet fit").Html());

  for (Candidate& c : result.grid) c.predicted_ms = 1e-8 * static_cast<double>(c.macs);
  result.grid[0].timing = Timing{0.2, 0.1, 0.3, 4};
  result.choices = {result.grid[0]};
  result.checked = result.choices;
  result.nearest.reset();
  const std::string html = FitPage(result, options, "a processor", "mobilenet fit").Html();
  ExpectStandsAlone(html);
  EXPECT_THAT(html, HasSubstr("class=\"chosen\""));
  EXPECT_THAT(html, HasSubstr("class=\"limit\""));
  EXPECT_THAT(html, HasSubstr("0.200 ms"));
  EXPECT_THAT(html, HasSubstr("v1-0.25-128"));
  EXPECT_THAT(html, HasSubstr("by TF-Slim"));
  for (const char* version : {"</svg>V1<", "</svg>V2<", "</svg>V3<", "</svg>V4<"})
    EXPECT_THAT(html, HasSubstr(version));
}

}  // namespace
}  // namespace mobilenet
