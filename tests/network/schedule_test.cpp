#include "network/schedule.h"

#include <algorithm>

#include "gmock/gmock.h"
#include "mobilenet/cost.h"

namespace mobilenet {
namespace {

std::vector<StepGroup> GroupsOf(const Network& network) { return ScheduleOf(network).groups; }

TEST(Schedule, StreamsTheLargeMapsOnly) {
  // 112x112x32, 112x112x64, 56x56x128 twice: all of more than 1 MB; then 28x28x256.
  const auto groups = GroupsOf(V1());
  EXPECT_EQ(groups.front().first, 0U);
  EXPECT_EQ(groups.front().last, 4U);
  EXPECT_EQ(groups.size(), 16U - 4U);
  // 112x112x16 is small, 112x112x32 is not.
  const auto half = GroupsOf(V1({.alpha = 0.5}));
  EXPECT_EQ(half[0].last, 0U);
  EXPECT_EQ(half[1].first, 1U);
  EXPECT_EQ(half[1].last, 2U);
  EXPECT_EQ(GroupsOf(V1({.alpha = 0.25})).size(), 16U);
  // Standard convolutions gather their windows from whole maps.
  EXPECT_EQ(GroupsOf(V1({.separable = false})).size(), 16U);
}

TEST(Schedule, TheLeastMemoryGrowsWithTheNetworkAndIsNeverMoreThanTheFastest) {
  const auto bytes = [](double alpha, int resolution, MemoryUse memory) {
    return CostOf(V1({.alpha = alpha, .resolution = resolution}), Precision::kFloat32, memory)
        .peak_activation_bytes;
  };
  for (int resolution = 128; resolution <= 224; resolution += 32) {
    for (int eighths = 2; eighths <= 8; ++eighths) {
      const std::int64_t least = bytes(eighths / 8.0, resolution, MemoryUse::kLeast);
      EXPECT_LE(least, bytes(eighths / 8.0, resolution, MemoryUse::kFast));
      EXPECT_GE(least, bytes((eighths - 1) / 8.0, resolution, MemoryUse::kLeast))
          << eighths << " " << resolution;
      EXPECT_GE(least, bytes(eighths / 8.0, resolution - 32, MemoryUse::kLeast))
          << eighths << " " << resolution;
    }
  }
  // Of the fastest, more may take less: what is streamed begins at a fixed size.
  EXPECT_LT(bytes(0.75, 224, MemoryUse::kFast), bytes(0.5, 224, MemoryUse::kFast));
}

TEST(RowsNeeded, FollowsWindowsBack) {
  // 3x3, strides 1 and 2, as "same" padding has it for 8 rows.
  const std::vector<RowWindow> windows = {{3, 1, 1, 8, 8}, {3, 2, 0, 8, 4}};
  std::vector<int> needed(2);
  RowsNeeded(windows, 1, needed);
  EXPECT_THAT(needed, testing::ElementsAre(3, 1));
  RowsNeeded(windows, 2, needed);
  EXPECT_THAT(needed, testing::ElementsAre(5, 2));
  RowsNeeded(windows, 4, needed);
  EXPECT_THAT(needed, testing::ElementsAre(8, 4));  // no more than there are
  RowsNeeded(windows, 0, needed);
  EXPECT_THAT(needed, testing::ElementsAre(0, 0));
}

TEST(FirstRows, ReachesBack) {
  const std::vector<RowWindow> windows = {{3, 1, 1, 8, 8}, {3, 2, 0, 8, 4}};
  std::vector<int> first(2);
  FirstRows(windows, 2, first);
  EXPECT_THAT(first, testing::ElementsAre(4, 2));
  FirstRows(windows, 0, first);
  EXPECT_THAT(first, testing::ElementsAre(0, 0));
}

TEST(Schedule, KeepsTheRowsThatAreRead) {
  const Schedule schedule = ScheduleOf(V1());
  const auto rows = [&](std::size_t step) { return schedule.maps[step].place.rows; };
  // One row of block 4 needs three of block 3 at first, those five of block 2, those eleven of block 1,
  // thirteen of the first convolution.
  EXPECT_EQ(rows(3), 3);
  EXPECT_EQ(rows(2), 5);
  EXPECT_EQ(rows(1), 11);
  EXPECT_EQ(rows(0), 13);
  EXPECT_EQ(rows(4), 28);
  EXPECT_EQ(rows(5), 28);
  EXPECT_TRUE(schedule.maps[3].place.inner);
  EXPECT_FALSE(schedule.maps[4].place.inner);
}

TEST(Schedule, ABlockOfV2IsTwoSteps) {
  const Network network = V2();
  const std::vector<StepLayers> steps = StepsOf(network);
  // conv1; block 1 as one step, the others as two; conv2, the average and the classifier.
  ASSERT_EQ(steps.size(), 1U + 1 + 2 * 16 + 3);
  const auto name = [&](std::size_t layer) { return network.layers[layer].name; };
  const StepLayers& third = steps[5];  // the second half of block 3, the first with a skip
  EXPECT_EQ(name(third.first()), "block3.depthwise");
  EXPECT_EQ(name(third.main), "block3.project");
  EXPECT_EQ(name(third.last()), "block3.add");
  EXPECT_EQ(third.inputs, (std::vector<int>{4, 3}));
  EXPECT_EQ(name(steps[3].last()), "block2.project");
  EXPECT_EQ(steps[3].inputs, (std::vector<int>{2}));
  // The expanded maps of 112x112x96, and of 56x56x144 twice, are never whole.
  const Schedule schedule = ScheduleOf(network);
  for (const std::size_t step : {0, 2, 4, 6}) EXPECT_TRUE(schedule.maps[step].place.inner) << step;
  EXPECT_FALSE(schedule.maps[8].place.inner);
  EXPECT_EQ(schedule.output, steps.size() - 1);
}

// A layer by hand, of 4 channels.
Layer Plain(const char* name, LayerKind kind, std::vector<int> inputs) {
  Layer layer;
  layer.name = name;
  layer.kind = kind;
  layer.inputs = std::move(inputs);
  layer.input = layer.output = {8, 8, 4};
  return layer;
}

TEST(Schedule, ASumEndsTheLaterOfWhatItAdds) {
  Network network;
  network.input = {8, 8, 4};
  network.layers = {Plain("a", LayerKind::kPointwise, {kNetworkInput}),
                    Plain("b", LayerKind::kPointwise, {0}), Plain("c", LayerKind::kPointwise, {0}),
                    Plain("sum", LayerKind::kAdd, {2, 1})};
  CheckNetwork(network);
  std::vector<StepLayers> steps = StepsOf(network);
  ASSERT_EQ(steps.size(), 3U);
  EXPECT_EQ(steps[2].main, 2U);
  EXPECT_EQ(steps[2].sum, 3U);
  EXPECT_EQ(steps[2].inputs, (std::vector<int>{0, 1}));
  EXPECT_EQ(ScheduleOf(network).output, 2U);
  // Not where that one has an activation of its own, or somebody else reads it, or it is added to itself.
  network.layers[2].activation = Activation::kRelu;
  EXPECT_EQ(StepsOf(network).size(), 4U);
  network.layers[2].activation = Activation::kNone;
  network.layers.push_back(Plain("d", LayerKind::kAdd, {3, 2}));
  steps = StepsOf(network);
  ASSERT_EQ(steps.size(), 5U);
  EXPECT_EQ(steps[3].inputs, (std::vector<int>{2, 1}));
  EXPECT_EQ(steps[4].inputs, (std::vector<int>{3, 2}));
  network.layers.resize(3);
  network.layers.push_back(Plain("twice", LayerKind::kAdd, {2, 2}));
  EXPECT_EQ(StepsOf(network).size(), 4U);
}

TEST(PixelPitch, AvoidsMultiplesOfAKilobyte) {
  EXPECT_EQ(PixelPitch(64), 256U);
  EXPECT_EQ(PixelPitch(256), 1088U);
  EXPECT_EQ(PixelPitch(1024), 4160U);
  EXPECT_EQ(PixelPitch(1000), 4000U);
  EXPECT_EQ(PixelPitch(256, Format::kBfloat16), 512U);
  EXPECT_EQ(PixelPitch(512, Format::kFloat16), 1088U);
}

}  // namespace
}  // namespace mobilenet
