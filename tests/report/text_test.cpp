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

TEST(Text, LabelsAreShortenedWhereTheyMust) {
  EXPECT_EQ(ShortLabel("rose, of a garden"), "rose, of a garden") << "it fits";
  EXPECT_EQ(ShortLabel("great white shark, white shark, man-eater"), "great white shark");
  EXPECT_EQ(ShortLabel("black-and-tan coonhound"), "black-and-tan coonh…");
  EXPECT_EQ(DisplayWidth(ShortLabel("black-and-tan coonhound")), 20);
  EXPECT_EQ(ShortLabel("睡蓮睡蓮睡蓮", 6), "睡蓮…") << "no half of a character";
  EXPECT_EQ(ShortLabel(", a, b", 3), ", …");
  EXPECT_EQ(ShortLabel("\xFF\xFF\xFF\xFF", 3), "\xFF\xFF…");
}

TEST(Text, Bars) {
  EXPECT_EQ(Bar(0, 4), "");
  EXPECT_EQ(Bar(1, 4), "████");
  EXPECT_EQ(Bar(0.5, 3), "█▌");
  EXPECT_EQ(Bar(7, 2), "██");
}

TEST(Text, WhatMovesTheCursorOrTheTextIsNotPrinted) {
  EXPECT_EQ(Printable("a\033[2Jb\nc\x7F"), "a?[2Jb?c?");
  EXPECT_EQ(Printable("a\xC2\x80\xC2\x9F\xC2\xA0z"), "a??\xC2\xA0z")
      << "U+0080, U+009F, and U+00A0, which is harmless";
  for (const char* mark : {"\u061C", "\u200E", "\u200F", "\u2028", "\u202A", "\u202E", "\u2066", "\u2069",
                           "\uFEFF", "\U000E0001", "\U000E007F"})
    EXPECT_EQ(Printable(mark), "?") << mark;
  for (const char* plain : {"é", "睡蓮", "🌷", "\u200D", "\u2027", "\u202F", "\u2065", "\u206A"})
    EXPECT_EQ(Printable(plain), plain);
}

TEST(Text, BytesThatAreNotUtf8AreNotPrinted) {
  EXPECT_EQ(Printable("a\x9B"
                      "31mb"),
            "a?31mb");
  EXPECT_EQ(Printable("\xC0\x80"), "??") << "longer than it need be";
  EXPECT_EQ(Printable("\xE0\x82\x9B"), "???");
  EXPECT_EQ(Printable("\xED\xA0\x80"), "???") << "half of a pair";
  EXPECT_EQ(Printable("\xF4\x90\x80\x80"), "????") << "beyond the last";
  EXPECT_EQ(Printable("\xE7\x9D"), "??") << "cut off";
}

TEST(Text, JsonKeepsWhatItEscapes) {
  EXPECT_EQ(PrintableJson("{\"a\": \"b\u009B\u202E\U000E0001é\"}"),
            "{\"a\": \"b\\u009b\\u202e\\udb40\\udc01é\"}");
}

TEST(Text, CsvQuotesWhatItMust) {
  EXPECT_EQ(CsvRow({"a", "", "b c", "1.5"}), "a,,b c,1.5\n");
  EXPECT_EQ(CsvRow({"a,b", "say \"x\"", "two\nlines", "\r"}),
            "\"a,b\",\"say \"\"x\"\"\",\"two\nlines\",\"\r\"\n");
  EXPECT_EQ(CsvRow({"alike", "alike"}), "alike,alike\n");
}

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
