// Every countable cell of the paper, to the paper's rounding; cells where the paper itself is off are listed
// here.
#include "mobilenet/paper.h"

#include <map>
#include <set>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "mobilenet/cost.h"
#include "mobilenet/error.h"

namespace mobilenet {
namespace {

TEST(Paper, EveryCellIsTheSameOrExplained) {
  std::set<std::string> explained;
  for (const std::string& version : PaperVersions()) {
    for (const PaperTable& table : ReproducePaper(version).tables) {
      for (const PaperRow& row : table.rows) {
        ASSERT_EQ(row.cells.size(), table.columns.size());
        for (std::size_t i = 0; i < row.cells.size(); ++i) {
          const PaperCell& cell = row.cells[i];
          const std::string where =
              version + " " + std::to_string(table.number) + ": " + row.name + ", " + table.columns[i];
          if (cell.note.empty()) {
            EXPECT_EQ(cell.paper, cell.ours) << where;
          } else {
            EXPECT_NE(cell.paper, cell.ours) << where;
            explained.insert(where + ": " + cell.paper + " is " + cell.ours);
          }
        }
      }
    }
  }
  EXPECT_THAT(
      explained,
      testing::ElementsAre(
          "v1 10: 1.0 MobileNet-192, mult-adds, M: 418 is 417",
          "v1 10: 1.0 MobileNet-224, mult-adds, M: 569 is 568",
          "v1 12: 0.25 MobileNet-128, mult-adds, M: 15 is 13",
          "v1 12: 0.25 MobileNet-224, mult-adds, M: 45 is 41",
          "v1 12: 0.5 MobileNet-128, mult-adds, M: 48 is 49",
          "v1 14: 0.75 MobileNet-128, mult-adds, M: 108 is 106",
          "v1 14: 0.75 MobileNet-128, mult-adds, M: 166 is 106",
          "v1 14: 1.0 MobileNet-160, mult-adds, M: 286 is 290",
          "v1 1: block13.depthwise, type / stride: Conv dw / s2 is Conv dw / s1",
          "v1 2: Conv 3 x 3, mult-adds, %: 1.19 is 1.91", "v1 4: Conv MobileNet, mult-adds, M: 4866 is 4867",
          "v1 7: 1.0 MobileNet-160, mult-adds, M: 290 is 291",
          "v1 9: 0.50 MobileNet-160, mult-adds, M: 76 is 77", "v2 4: MobileNetV1, mult-adds, M: 575 is 569",
          "v2 4: MobileNetV2 (1.4), mult-adds, M: 585 is 582",
          "v2 4: MobileNetV2 (1.4), parameters, M: 6.9 is 6.1", "v2 4: MobileNetV2, mult-adds, M: 300 is 301",
          "v2 4: MobileNetV2, parameters, M: 3.4 is 3.5", "v3 2: row 13, SE: yes is -",
          "v3 3: V2 0.35, mult-adds, M: 59.2 is 59.3", "v3 3: V2 0.35, parameters, M: 1.6 is 1.7",
          "v3 3: V2 1.0, mult-adds, M: 300 is 301", "v3 3: V2 1.0, parameters, M: 3.4 is 3.5",
          "v3 3: V3-Large 1.0, mult-adds, M: 219 is 217", "v3 3: V3-Large 1.0, parameters, M: 5.4 is 5.5",
          "v3 3: V3-Small 0.75, mult-adds, M: 44 is 43", "v3 3: V3-Small 1.0, mult-adds, M: 56 is 57",
          "v3 3: V3-Small minimalistic, mult-adds, M: 65 is 52",
          "v4 6: MNv4-Conv-L, mult-adds, G: 5.9 is 6.4", "v4 6: MNv4-Conv-L, parameters, M: 31 is 33",
          "v4 6: MNv4-Conv-M, mult-adds, G: 1.0 is 1.1", "v4 6: MNv4-Conv-M, parameters, M: 9.2 is 9.7"));
}

// Numbers and rows of the tables: nothing that can be counted is left out by mistake.
TEST(Paper, HasTheTablesWholly) {
  std::vector<std::pair<int, std::size_t>> rows;
  for (const PaperTable& table : ReproducePaper().tables) rows.emplace_back(table.number, table.rows.size());
  EXPECT_THAT(rows, testing::ElementsAre(testing::Pair(1, 29), testing::Pair(2, 4), testing::Pair(3, 4),
                                         testing::Pair(4, 2), testing::Pair(5, 2), testing::Pair(6, 4),
                                         testing::Pair(7, 4), testing::Pair(8, 1), testing::Pair(9, 1),
                                         testing::Pair(10, 4), testing::Pair(12, 6), testing::Pair(14, 4)));
}

TEST(Paper, OfV2HasItsTablesWholly) {
  const Paper paper = ReproducePaper("v2");
  ASSERT_EQ(paper.tables.size(), 2U);
  EXPECT_EQ(paper.tables[0].rows.size(), 11U);
  EXPECT_EQ(paper.tables[1].rows.size(), 3U);
  EXPECT_THAT(paper.citation, testing::HasSubstr("1801.04381"));
  EXPECT_THROW(ReproducePaper("v9"), Error);
}

TEST(Paper, OfV3HasItsTablesWholly) {
  std::vector<std::pair<int, std::size_t>> rows;
  for (const PaperTable& table : ReproducePaper("v3").tables)
    rows.emplace_back(table.number, table.rows.size());
  EXPECT_THAT(rows, testing::ElementsAre(testing::Pair(1, 20), testing::Pair(2, 16), testing::Pair(3, 8)));
}

TEST(Paper, OfV4HasItsTablesWholly) {
  std::vector<std::pair<int, std::size_t>> rows;
  for (const PaperTable& table : ReproducePaper("v4").tables)
    rows.emplace_back(table.number, table.rows.size());
  EXPECT_THAT(rows, testing::ElementsAre(testing::Pair(6, 6), testing::Pair(11, 19), testing::Pair(12, 27),
                                         testing::Pair(14, 32)));
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
  for (const PaperTable& table : ReproducePaper().tables) {
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
