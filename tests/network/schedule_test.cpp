#include "network/schedule.h"

#include <algorithm>

#include "gmock/gmock.h"
#include "mobilenet/cost.h"

namespace mobilenet {
namespace {

std::vector<StepGroup> GroupsOf(const Network& network) { return GroupSteps(network, FuseLayers(network)); }

TEST(GroupSteps, StreamsTheLargeMapsOnly) {
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

TEST(GroupSteps, TheLeastMemoryGrowsWithTheNetworkAndIsNeverMoreThanTheFastest) {
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

TEST(PlaceMaps, KeepsTheRowsThatAreRead) {
  const Network network = V1();
  const auto steps = FuseLayers(network);
  const Arena arena = PlaceMaps(network, steps, GroupSteps(network, steps));
  // One row of block 4 needs three of block 3 at first, those five of block 2, those eleven of block 1,
  // thirteen of the first convolution.
  EXPECT_EQ(arena.places[3].rows, 3);
  EXPECT_EQ(arena.places[2].rows, 5);
  EXPECT_EQ(arena.places[1].rows, 11);
  EXPECT_EQ(arena.places[0].rows, 13);
  EXPECT_EQ(arena.places[4].rows, 28);
  EXPECT_EQ(arena.places[5].rows, 28);
}

TEST(PixelPitch, AvoidsMultiplesOfAKilobyte) {
  EXPECT_EQ(PixelPitch(64), 64U);
  EXPECT_EQ(PixelPitch(256), 272U);
  EXPECT_EQ(PixelPitch(1024), 1040U);
  EXPECT_EQ(PixelPitch(1000), 1000U);
}

}  // namespace
}  // namespace mobilenet
