// Pages that stand alone: one HTML file, its style and its drawings inside, no script, nothing fetched. Light
// or dark as the reader's system says, and readable on a phone.
//
// Plain SVG and CSS of our own rather than a chart library: the three pages have two kinds of chart between
// them, a library would bring a hundred times their size and a second build system, and a page without script
// can be mailed, archived and opened where scripts are off.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace mobilenet {

// Text as it may stand in HTML, between tags and in quoted attributes.
std::string Escaped(std::string_view text);

// Throws Error where a page can't be written to `path`, or what is there is neither empty nor a page of ours.
void CheckPage(const std::filesystem::path& path);

class Page {
 public:
  explicit Page(std::string title) : title_(std::move(title)) {}

  // Each takes plain text, except `Add`, which takes HTML.
  void Paragraph(std::string_view text);
  void Heading(std::string_view text);
  void Code(std::string_view text);
  void Note(std::string_view text);  // small print
  void Add(std::string_view html) { body_ += html; }

  // A number with its meaning below it; neighbours stand side by side.
  struct Figure {
    std::string value;
    std::string meaning;
  };
  void Figures(const std::vector<Figure>& figures);

  // Cells are text. A column lines up to the right where its heading begins with '>', as in Table, and wraps
  // where it begins with '~', as long names must.
  void Rows(const std::vector<std::string>& headings, const std::vector<std::vector<std::string>>& rows);

  [[nodiscard]] std::string Html() const;

  // Writes Html() to a file, whole or not at all. Throws Error, also where CheckPage does.
  void Write(const std::filesystem::path& path) const;

 private:
  std::string title_;
  std::string body_;
};

}  // namespace mobilenet
