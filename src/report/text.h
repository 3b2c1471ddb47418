// Text for people: numbers with units, columns that line up, bars.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mobilenet {

// 1234567 -> "1.23 M"; below 1000 as it is.
std::string Count(double value);

// 1234567 -> "1.23 MB" (1 MB is 10^6 bytes).
std::string Bytes(double value);

// "1 picture", "2 pictures"; `plural` where an s doesn't make it.
std::string Counted(std::size_t count, std::string_view one, std::string_view plural = {});

// Columns that a terminal gives the text: one for most characters, two for wide ones (CJK), none for
// combining marks. Bytes that are not UTF-8 count as one each.
int DisplayWidth(std::string_view text);

// A bar of `share` (0 to 1) of `width` columns, in eighths of a column.
std::string Bar(double share, int width);

// A label for where there is little room: "great white shark" of "great white shark, white shark, man-eater",
// and an ellipsis in place of what goes beyond `columns`.
std::string ShortLabel(std::string_view label, int columns = 20);

// Whether a character moves the cursor, rings the bell, or turns the direction of the text around it.
bool MovesText(char32_t code);

// A line, with such characters, and bytes that are not UTF-8, shown as '?': file names and labels are other
// people's.
std::string Printable(std::string_view text);

// Text of any number of lines, with such characters but tabs and the ends of lines shown as '?'.
std::string WithoutMarks(std::string_view text);

// JSON, with such characters in its strings escaped: it may be printed on a terminal too.
std::string PrintableJson(std::string_view json);

// A row of CSV (RFC 4180), cells quoted where they must be, its end of line included: a line feed.
std::string CsvRow(const std::vector<std::string>& cells);

// Rows of cells; a column lines up to the right where its heading begins with '>', which is not printed.
class Table {
 public:
  explicit Table(std::vector<std::string> headings);
  void Add(std::vector<std::string> cells);
  [[nodiscard]] std::string Text() const;

 private:
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace mobilenet
