#include "report/text.h"

#include "gmock/gmock.h"

namespace mobilenet {
namespace {

TEST(Text, CountsAndBytes) {
  EXPECT_EQ(Count(0), "0");
  EXPECT_EQ(Count(999), "999");
  EXPECT_EQ(Count(1000), "1.00 k");
  EXPECT_EQ(Count(9999), "10.0 k");
  EXPECT_EQ(Count(568740352), "569 M");
  EXPECT_EQ(Count(4231976), "4.23 M");
  EXPECT_EQ(Count(999'600), "1.00 M");
  EXPECT_EQ(Bytes(12), "12 B");
  EXPECT_EQ(Bytes(1'940'000), "1.94 MB");
}

TEST(Text, WidthOnATerminal) {
  EXPECT_EQ(DisplayWidth("abc"), 3);
  EXPECT_EQ(DisplayWidth("睡蓮"), 4);
  EXPECT_EQ(DisplayWidth("é"), 1);
  EXPECT_EQ(DisplayWidth("e\u0301"), 1);
  EXPECT_EQ(DisplayWidth("\xFF\xFE"), 2);
  EXPECT_EQ(DisplayWidth("\xE7\x9D"), 2);  // cut off
}

TEST(Text, Bars) {
  EXPECT_EQ(Bar(0, 4), "");
  EXPECT_EQ(Bar(1, 4), "████");
  EXPECT_EQ(Bar(0.5, 3), "█▌");
  EXPECT_EQ(Bar(7, 2), "██");
}

TEST(Text, ControlCharactersAreNotPrinted) { EXPECT_EQ(Printable("a\033[2Jb\nc\x7F"), "a?[2Jb?c?"); }

TEST(Text, TablesLineUp) {
  Table table({"name", ">n"});
  table.Add({"睡蓮", "1"});
  table.Add({"a", "1000"});
  table.Add({"b"});
  EXPECT_EQ(table.Text(),
            "name     n\n"
            "睡蓮     1\n"
            "a     1000\n"
            "b\n");
}

}  // namespace
}  // namespace mobilenet
