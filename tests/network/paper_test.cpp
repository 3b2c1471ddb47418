// Every countable cell of the paper, to the paper's rounding; cells where the paper itself is off are listed
// here.
#include "mobilenet/paper.h"

#include <set>

#include "gmock/gmock.h"

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
  EXPECT_THAT(explained,
              testing::ElementsAre("1: block13.depthwise, type / stride: Conv dw / s2 is Conv dw / s1",
                                   "2: Conv 3 x 3, mult-adds, %: 1.19 is 1.91",
                                   "4: Conv MobileNet, mult-adds, M: 4866 is 4867",
                                   "7: 1.0 MobileNet-160, mult-adds, M: 290 is 291"));
}

TEST(Paper, HasTheTablesWholly) {
  const auto tables = ReproducePaper();
  ASSERT_EQ(tables.size(), 7U);
  const std::vector<std::size_t> rows = {29, 4, 4, 2, 2, 4, 4};
  for (std::size_t i = 0; i < tables.size(); ++i) {
    EXPECT_EQ(tables[i].number, static_cast<int>(i) + 1);
    EXPECT_EQ(tables[i].rows.size(), rows[i]);
  }
}

}  // namespace
}  // namespace mobilenet
