#include "report/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

namespace mobilenet {
namespace {

std::string Scaled(double value, std::string_view unit) {
  constexpr std::array<const char*, 5> kPrefixes = {"", "k", "M", "G", "T"};
  std::size_t prefix = 0;
  while (std::abs(value) >= 999.5 && prefix + 1 < kPrefixes.size()) {
    value /= 1000;
    ++prefix;
  }
  const int digits = prefix == 0 || std::abs(value) >= 99.95 ? 0 : (std::abs(value) >= 9.995 ? 1 : 2);
  const std::string suffix = fmt::format("{}{}", kPrefixes[prefix], unit);
  return fmt::format("{:.{}f}{}{}", value, digits, suffix.empty() ? "" : " ", suffix);
}

// The next code point of UTF-8 text, taken off its front; nothing where it begins with a byte that is none,
// which alone is taken.
std::optional<char32_t> TakeCodePoint(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t length = first < 0x80         ? 1
                             : (first >> 5) == 6  ? 2
                             : (first >> 4) == 14 ? 3
                             : (first >> 3) == 30 ? 4
                                                  : 1;
  char32_t code = length == 1 ? first : first & (0xFFU >> (length + 1));
  bool good = text.size() >= length;
  for (std::size_t i = 1; good && i < length; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    good = (next >> 6) == 2;
    code = code << 6 | (next & 0x3FU);
  }
  // Longer than it need be, half of a pair, or beyond the last: not UTF-8 either.
  constexpr std::array<char32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  good = good && (length > 1 || first < 0x80) && code >= kLeast[length] && code <= 0x10FFFF &&
         (code < 0xD800 || code > 0xDFFF);
  text.remove_prefix(good ? length : 1);
  return good ? std::optional(code) : std::nullopt;
}

int WidthOf(char32_t code) {
  if ((code >= 0x300 && code <= 0x36F) || (code >= 0x200B && code <= 0x200F) || code == 0xFE0F) return 0;
  const bool wide = (code >= 0x1100 && code <= 0x115F) || (code >= 0x2E80 && code <= 0xA4CF) ||
                    (code >= 0xAC00 && code <= 0xD7A3) || (code >= 0xF900 && code <= 0xFAFF) ||
                    (code >= 0xFE30 && code <= 0xFE6F) || (code >= 0xFF00 && code <= 0xFF60) ||
                    (code >= 0xFFE0 && code <= 0xFFE6) || (code >= 0x1F300 && code <= 0x1FAFF) ||
                    (code >= 0x20000 && code <= 0x3FFFD);
  return wide ? 2 : 1;
}

}  // namespace

std::string Count(double value) { return Scaled(value, ""); }
std::string Bytes(double value) { return Scaled(value, "B"); }

std::string Counted(std::size_t count, std::string_view one, std::string_view plural) {
  if (count == 1) return fmt::format("1 {}", one);
  return plural.empty() ? fmt::format("{} {}s", count, one) : fmt::format("{} {}", count, plural);
}

int DisplayWidth(std::string_view text) {
  int width = 0;
  while (!text.empty()) {
    const std::optional<char32_t> code = TakeCodePoint(text);
    width += code ? WidthOf(*code) : 1;
  }
  return width;
}

std::string ShortLabel(std::string_view label, int columns) {
  if (DisplayWidth(label) <= columns) return std::string(label);
  const std::size_t comma = label.find(',');
  if (comma != std::string_view::npos && comma > 0) label = label.substr(0, comma);
  if (DisplayWidth(label) <= columns) return std::string(label);
  std::string_view rest = label;
  std::size_t kept = 0;
  for (int width = 0; !rest.empty(); kept = label.size() - rest.size()) {
    const std::optional<char32_t> code = TakeCodePoint(rest);
    width += code ? WidthOf(*code) : 1;
    if (width > columns - 1) break;
  }
  return std::string(label.substr(0, kept)) + "…";
}

std::string Bar(double share, int width) {
  constexpr std::array<const char*, 8> kEighths = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const int eighths = static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * width * 8));
  std::string bar;
  for (int i = 0; i < eighths / 8; ++i) bar += "█";
  return bar + kEighths[eighths % 8];
}

bool MovesText(char32_t code) {
  return code < 0x20 || (code >= 0x7F && code <= 0x9F) ||         // control characters
         code == 0x61C || code == 0x200E || code == 0x200F ||     // marks of direction
         (code >= 0x2028 && code <= 0x202E) ||                    // ends of lines, embeddings and overrides
         (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF ||  // isolates, a byte order mark
         (code >= 0xE0000 && code <= 0xE007F);                    // tags
}

namespace {

// The text with a '?' for each character that `shows` is false for, and for bytes that are not UTF-8.
template <typename Shows>
std::string Filtered(std::string_view text, const Shows& shows) {
  std::string result;
  while (!text.empty()) {
    const std::string_view before = text;
    const std::optional<char32_t> code = TakeCodePoint(text);
    if (code && shows(*code)) {
      result += before.substr(0, before.size() - text.size());
    } else {
      result += '?';
    }
  }
  return result;
}

}  // namespace

std::string Printable(std::string_view text) {
  return Filtered(text, [](char32_t code) { return !MovesText(code); });
}

std::string WithoutMarks(std::string_view text) {
  return Filtered(text, [](char32_t code) { return code == U'\n' || code == U'\t' || !MovesText(code); });
}

std::string PrintableJson(std::string_view json) {
  std::string line;
  while (!json.empty()) {
    const std::string_view before = json;
    const std::optional<char32_t> code = TakeCodePoint(json);
    if (!code || !MovesText(*code)) {
      line += before.substr(0, before.size() - json.size());
    } else if (*code < 0x10000) {
      line += fmt::format("\\u{:04x}", static_cast<unsigned>(*code));
    } else {  // as a pair
      const auto rest = static_cast<unsigned>(*code - 0x10000);
      line += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (rest >> 10), 0xDC00 + (rest & 0x3FF));
    }
  }
  return line;
}

std::string CsvRow(const std::vector<std::string>& cells) {
  std::string row;
  for (const std::string& cell : cells) {
    if (&cell != &cells.front()) row += ',';
    if (cell.find_first_of(",\"\r\n") == std::string::npos) {
      row += cell;
      continue;
    }
    row += '"';
    for (const char c : cell) row.append(c == '"' ? 2 : 1, c);
    row += '"';
  }
  return row + '\n';
}

Table::Table(std::vector<std::string> headings) {
  for (std::string& heading : headings) {
    right_.push_back(heading.starts_with('>'));
    if (right_.back()) heading.erase(0, 1);
  }
  rows_.push_back(std::move(headings));
}

void Table::Add(std::vector<std::string> cells) {
  cells.resize(right_.size());
  for (std::string& cell : cells) cell = Printable(cell);
  rows_.push_back(std::move(cells));
}

std::string Table::Text() const {
  std::vector<int> widths(right_.size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], DisplayWidth(row[i]));
  }
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string gap(static_cast<std::size_t>(widths[i] - DisplayWidth(row[i])), ' ');
      line += (i > 0 ? "  " : "") + (right_[i] ? gap + row[i] : row[i] + gap);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace mobilenet
