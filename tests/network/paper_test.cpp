// Every countable cell of the paper, to the paper's rounding; cells where the paper itself is off are listed
// here.
#include "mobilenet/paper.h"

#include <map>
#include <set>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "mobilenet/cost.h"

namespace mobilenet {
namespace {

TEST(Paper, EveryCellIsTheSameOrExplained) {
  std::set<std::string> explained;
  for (const PaperTable& table : ReproducePaper()) {
    for (const PaperRow& row : table.rows) {
      ASSERT_EQ(row.cells.size(), table.columns.size());
      for (std::size_t i = 0; i < row.cells.size(); ++i) {
        const PaperCell& cell = row.cells[i];
        const std::string where = std::to_string(table.number) + ": " + row.name + ", " + table.columns[i];
        if (cell.note.empty()) {
          EXPECT_EQ(cell.paper, cell.ours) << where;
        } else {
          EXPECT_NE(cell.paper, cell.ours) << where;
          explained.insert(where + ": " + cell.paper + " is " + cell.ours);
        }
      }
    }
  }
  EXPECT_THAT(
      explained,
      testing::ElementsAre(
          "10: 1.0 MobileNet-192, mult-adds, M: 418 is 417",
          "10: 1.0 MobileNet-224, mult-adds, M: 569 is 568", "12: 0.25 MobileNet-128, mult-adds, M: 15 is 13",
          "12: 0.25 MobileNet-224, mult-adds, M: 45 is 41", "12: 0.5 MobileNet-128, mult-adds, M: 48 is 49",
          "14: 0.75 MobileNet-128, mult-adds, M: 108 is 106",
          "14: 0.75 MobileNet-128, mult-adds, M: 166 is 106",
          "14: 1.0 MobileNet-160, mult-adds, M: 286 is 290",
          "1: block13.depthwise, type / stride: Conv dw / s2 is Conv dw / s1",
          "2: Conv 3 x 3, mult-adds, %: 1.19 is 1.91", "4: Conv MobileNet, mult-adds, M: 4866 is 4867",
          "7: 1.0 MobileNet-160, mult-adds, M: 290 is 291", "9: 0.50 MobileNet-160, mult-adds, M: 76 is 77"));
}

// Numbers and rows of the tables: nothing that can be counted is left out by mistake.
TEST(Paper, HasTheTablesWholly) {
  std::vector<std::pair<int, std::size_t>> rows;
  for (const PaperTable& table : ReproducePaper()) rows.emplace_back(table.number, table.rows.size());
  EXPECT_THAT(rows, testing::ElementsAre(testing::Pair(1, 29), testing::Pair(2, 4), testing::Pair(3, 4),
                                         testing::Pair(4, 2), testing::Pair(5, 2), testing::Pair(6, 4),
                                         testing::Pair(7, 4), testing::Pair(8, 1), testing::Pair(9, 1),
                                         testing::Pair(10, 4), testing::Pair(12, 6), testing::Pair(14, 4)));
}

// What the paper prints in the tables of applications, written down a second time: the rows are long enough
// for a digit to go astray.
TEST(Paper, PrintedCellsOfTheApplications) {
  const std::map<int, std::string> printed = {
      {8, "569 4.2"},
      {9, "76 1.32"},
      {10, "569 3.3 325 1.9 418 3.3 239 1.9"},
      {12, "568 3.2 149 0.8 45 0.2 185 3.2 48 0.8 15 0.2"},
      {14, "286 185 166 108"},
  };
  for (const PaperTable& table : ReproducePaper()) {
    const auto expected = printed.find(table.number);
    if (expected == printed.end()) continue;
    std::string cells;
    for (const PaperRow& row : table.rows)
      for (const PaperCell& cell : row.cells) cells += (cells.empty() ? "" : " ") + cell.paper;
    EXPECT_EQ(cells, expected->second) << "Table " << table.number;
  }
}

// The notes on Table 12 say what a network with no layer of fewer than 16 channels would take. At alpha 0.25
// it differs in the first convolution and block 1 alone: 16 channels instead of 8 there.
TEST(Paper, SixteenChannelsAtLeastWouldTakeWhatTheNotesSay) {
  for (const auto& [resolution, expected] : {std::pair(224, 45.99), std::pair(128, 15.02)}) {
    const Network network = V1({.alpha = 0.25, .resolution = resolution});
    ASSERT_EQ(network.layers[0].output.channels, 8);
    ASSERT_EQ(network.layers[2].output.channels, 16);
    const Cost cost = CostOf(network);
    const double body = static_cast<double>(cost.macs - cost.layers.back().macs);
    const double first = static_cast<double>(cost.layers[0].macs + cost.layers[1].macs + cost.layers[2].macs);
    EXPECT_NEAR((body + first) * 1e-6, expected, 0.005);
  }
}

}  // namespace
}  // namespace mobilenet
