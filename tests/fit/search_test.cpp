// The whole search, which times two dozen networks: half a minute with sanitizers, minutes under emulation.
#include <algorithm>

#include "gmock/gmock.h"
#include "mobilenet/fit.h"

namespace mobilenet {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

TEST(Search, ChoicesMeetTheLimitsAndAreTimed) {
  std::vector<double> shares;
  FitOptions options{
      .limits = {.size_bytes = 3e6}, .classes = 10, .choices = 3, .seconds = 0.5, .check = true};
  options.progress = [&](double share) { shares.push_back(share); };
  const FitResult result = Fit(options);
  ASSERT_THAT(result.choices, Not(IsEmpty()));
  EXPECT_LE(result.choices.size(), 4U);  // a published one may follow
  EXPECT_FALSE(result.nearest);
  bool published = false;
  for (std::size_t i = 0; i < result.choices.size(); ++i) {
    const Candidate& c = result.choices[i];
    EXPECT_THAT(BrokenLimits(c, options.limits), IsEmpty());
    ASSERT_TRUE(c.timing);
    EXPECT_GT(c.timing->runs, 0);
    EXPECT_LE(c.timing->low_ms, c.timing->median_ms);
    EXPECT_LE(c.timing->median_ms, c.timing->high_ms);
    published = published || c.accuracy.published;
    // Each is less accurate and faster than the one before it, but for a published one that follows them.
    const bool extra = i > 0 && i + 1 == result.choices.size() && c.accuracy.published;
    if (i == 0 || extra) continue;
    EXPECT_LE(c.accuracy.top1, result.choices[i - 1].accuracy.top1);
    EXPECT_LT(c.latency_ms(), result.choices[i - 1].latency_ms());
  }
  EXPECT_TRUE(published);
  EXPECT_THAT(result.grid, Each(Field(&Candidate::predicted_ms, testing::Gt(0))));
  EXPECT_THAT(result.checked, Not(IsEmpty()));
  EXPECT_GT(LargestError(result.checked), 0);
  EXPECT_TRUE(std::ranges::is_sorted(shares));
  EXPECT_NEAR(shares.back(), 1, 1e-9);
}

TEST(Search, FindsTheBestWithinALimitThatIsCounted) {
  const Limits limits{.macs = 100e6};  // several networks have up to a tenth more
  double best = 0;
  double best_published = 0;
  for (const Candidate& c : FitGrid()) {
    if (!BrokenLimits(c, limits).empty()) continue;
    best = std::max(best, c.accuracy.top1);
    if (c.accuracy.published) best_published = std::max(best_published, c.accuracy.top1);
  }
  const FitResult result = Fit({.limits = limits, .choices = 1, .seconds = 0.3});
  ASSERT_THAT(result.choices, Not(IsEmpty()));
  EXPECT_EQ(result.choices.front().accuracy.top1, best);
  EXPECT_TRUE(std::ranges::any_of(result.choices, [&](const Candidate& c) {
    return c.accuracy.published && c.accuracy.top1 == best_published;
  }));
  // Three more than asked for are timed, since some may be slower than predicted.
  EXPECT_GE(std::ranges::count_if(result.grid, [](const Candidate& c) { return c.timing.has_value(); }), 4);
}

TEST(Search, SaysWhenNothingIsFastEnough) {
  const FitResult result = Fit({.limits = {.latency_ms = 1e-6}, .classes = 2, .seconds = 0.3});
  EXPECT_THAT(result.choices, IsEmpty());
  ASSERT_TRUE(result.nearest);
  EXPECT_TRUE(result.nearest->timing);
  EXPECT_THAT(result.binding, ElementsAre(Field(&Excess::limit, "latency")));
}

// However often networks are timed: within a limit of time some turn out slower than predicted.
TEST(Search, PredictionsAreInThePaceOfTheLastTime) {
  FitOptions options{.classes = 2, .seconds = 0.3};
  options.limits.latency_ms = Fit(options).grid.front().predicted_ms;
  options.check = true;
  const FitResult result = Fit(options);
  for (const Candidate& before : result.checked) {
    const auto now = std::ranges::find_if(result.grid, [&](const Candidate& c) {
      return c.recipe == before.recipe && c.precision == before.precision;
    });
    ASSERT_NE(now, result.grid.end());
    EXPECT_NEAR(now->predicted_ms, result.pace * before.predicted_ms, 1e-9 * now->predicted_ms);
  }
}

}  // namespace
}  // namespace mobilenet
