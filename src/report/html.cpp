#include "report/html.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <span>

#include "base/file.h"
#include "report/text.h"

namespace mobilenet {
namespace {

// By which a page of ours is known again.
constexpr std::string_view kMark = "<meta name=\"generator\" content=\"mobilenet.cpp\">";

// The colours have names of what they stand for: a depthwise, pointwise or standard convolution, a choice.
constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --paper: #fcfbf9; --ink: #1d1e22; --soft: #6a6c75; --line: #dedcd6; --panel: #f3f1ec;
  --depthwise: #0f8b8d; --pointwise: #d9702b; --standard: #9a9ca5; --fully: #7a5fb5; --choice: #c2255c; --dot: #5b7fb8; }
@media (prefers-color-scheme: dark) { :root { --paper: #17181b; --ink: #e8e6e1; --soft: #9b9da6; --line: #34363c;
  --panel: #202226; --depthwise: #3fc1c0; --pointwise: #f0955a; --standard: #767982; --fully: #a58be0; --choice: #ff6b9a;
  --dot: #86a8dd; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0.5rem 0 1rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 0.6rem; }
p { margin: 0.4rem 0 0.8rem; max-width: 44rem; overflow-wrap: anywhere; }
.note { color: var(--soft); font-size: 0.85rem; }
pre { background: var(--panel); padding: 0.7rem 0.9rem; border-radius: 6px; font-size: 0.85rem;
  white-space: pre-wrap; overflow-wrap: anywhere; }
.figures { display: flex; flex-wrap: wrap; gap: 0.6rem; margin: 1rem 0; }
.figure { background: var(--panel); border-radius: 8px; padding: 0.6rem 0.9rem; flex: 1 1 8rem; }
.figure b { display: block; font-size: 1.35rem; font-variant-numeric: tabular-nums; white-space: nowrap; }
.figure span { color: var(--soft); font-size: 0.8rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.82rem; font-variant-numeric: tabular-nums; }
.scroll > table { min-width: 100%; }
th, td { text-align: left; padding: 0.25rem 0.5rem 0.25rem 0; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
th { color: var(--soft); font-weight: 600; }
.right { text-align: right; }
td.name { white-space: normal; overflow-wrap: anywhere; min-width: 6rem; }
.bars { display: grid; grid-template-columns: minmax(0, max-content) minmax(4rem, 1fr) max-content; gap: 0.2rem 0.6rem; align-items: center;
  font-size: 0.8rem; font-variant-numeric: tabular-nums; }
.bars .value { text-align: right; color: var(--soft); }
.bars > span { overflow-wrap: anywhere; }
.track { display: flex; height: 0.95rem; position: relative; }
.track b { position: absolute; width: 2px; margin-left: -1px; top: -0.15rem; bottom: -0.15rem;
  background: var(--ink); }
.track i { display: block; min-width: 1px; height: 100%; }
.legend i.mark { width: 2px; background: var(--ink); }
.depthwise { background: var(--depthwise); fill: var(--depthwise); }
.pointwise { background: var(--pointwise); fill: var(--pointwise); }
.standard { background: var(--standard); fill: var(--standard); }
.fully { background: var(--fully); fill: var(--fully); }
.legend { display: flex; flex-wrap: wrap; gap: 0.3rem 1.2rem; font-size: 0.8rem; color: var(--soft);
  margin: 0.4rem 0 0.8rem; }
.legend i { display: inline-block; width: 0.8rem; height: 0.8rem; margin-right: 0.35rem; vertical-align: -0.05rem; }
.legend i.round { border-radius: 50%; }
.legend i.open { background: none; border: 1.5px solid var(--dot); }
.legend i.timed { background: var(--dot); }
.legend i.chosen { background: var(--choice); }
svg { display: block; max-width: 100%; height: auto; }
.legend svg { display: inline-block; margin-right: 0.3rem; vertical-align: -0.15rem; }
svg text { fill: var(--soft); font: 12px system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
svg text.strong { fill: var(--ink); font-weight: 600; }
svg .axis { stroke: var(--line); stroke-width: 1; }
svg .limit { stroke: var(--choice); stroke-width: 1.5; stroke-dasharray: 5 4; }
svg .open { fill: none; stroke: var(--dot); stroke-width: 1.2; }
svg .timed { fill: var(--dot); fill-opacity: 0.75; }
svg .chosen { fill: var(--choice); fill-opacity: 0.9; }
svg .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
svg .line.depthwise { stroke: var(--depthwise); }
svg .line.pointwise { stroke: var(--pointwise); }
table.matrix { font-size: 0.72rem; }
table.matrix td { text-align: center; min-width: 2.2rem; padding: 0.2rem; border: 1px solid var(--paper); }
table.matrix th { padding: 0.2rem 0.4rem; }
table.matrix th:first-child { position: sticky; left: 0; background: var(--paper); }
table.matrix th.turned { writing-mode: vertical-rl; transform: rotate(180deg); border: 0; }
.right-cell { background: color-mix(in srgb, var(--depthwise) var(--share), var(--panel)); }
.wrong-cell { background: color-mix(in srgb, var(--choice) var(--share), var(--panel)); }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 14rem), 1fr)); gap: 1.2rem 1rem;
  margin: 0.6rem 0; }
.cards figure { margin: 0; font-size: 0.78rem; color: var(--soft); overflow-wrap: anywhere; }
.cards figure b { color: var(--ink); font-weight: 600; }
.cards .file { display: block; }
.cards .bars { font-size: 0.75rem; grid-template-columns: minmax(0, 9rem) 1fr 2.8rem; }
.shots { display: flex; gap: 0.3rem; margin-bottom: 0.3rem; }
.shots img { width: calc(50% - 0.15rem); aspect-ratio: 1; object-fit: contain; background: var(--panel);
  border-radius: 4px; }
svg .box { stroke: var(--paper); stroke-width: 1; }
svg .map { fill: var(--dot); }
svg .top { fill-opacity: 0.75; }
svg .side { fill-opacity: 0.55; }
.narrow { display: none; }
@media (max-width: 40rem) { .narrow { display: block; } .wide { display: none; } }
.flow { display: flex; flex-wrap: wrap; align-items: flex-end; gap: 0.3rem 0.6rem; margin: 0.4rem 0 1rem; }
.flow figure { margin: 0; text-align: center; font-size: 0.78rem; color: var(--soft); }
.flow figure b { color: var(--ink); font-weight: 600; }
.flow svg { margin: 0 auto 0.2rem; }
.flow > span { font-size: 1.3rem; align-self: center; color: var(--soft); }
)";

}  // namespace

std::string Escaped(std::string_view text) {
  std::string html;
  for (const char c : WithoutMarks(text)) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      default:
        html += c;
    }
  }
  return html;
}

void Page::Paragraph(std::string_view text) { body_ += fmt::format("<p>{}</p>\n", Escaped(text)); }
void Page::Heading(std::string_view text) { body_ += fmt::format("<h2>{}</h2>\n", Escaped(text)); }
void Page::Code(std::string_view text) { body_ += fmt::format("<pre>{}</pre>\n", Escaped(text)); }
void Page::Note(std::string_view text) { body_ += fmt::format("<p class=\"note\">{}</p>\n", Escaped(text)); }

void Page::Figures(const std::vector<Figure>& figures) {
  body_ += "<div class=\"figures\">\n";
  for (const Figure& figure : figures) {
    body_ += fmt::format("<div class=\"figure\"><b>{}</b><span>{}</span></div>\n", Escaped(figure.value),
                         Escaped(figure.meaning));
  }
  body_ += "</div>\n";
}

void Page::Rows(const std::vector<std::string>& headings, const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::string> classes;
  body_ += "<div class=\"scroll\"><table>\n<tr>";
  for (const std::string& heading : headings) {
    const bool right = heading.starts_with('>');
    const bool wraps = heading.starts_with('~');
    classes.emplace_back(right ? " class=\"right\"" : wraps ? " class=\"name\"" : "");
    body_ += fmt::format("<th{}>{}</th>", classes.back(),
                         Escaped(std::string_view(heading).substr(right || wraps ? 1 : 0)));
  }
  body_ += "</tr>\n";
  for (const auto& row : rows) {
    body_ += "<tr>";
    for (std::size_t i = 0; i < std::min(row.size(), classes.size()); ++i) {
      body_ += fmt::format("<td{}>{}</td>", classes[i], Escaped(row[i]));
    }
    body_ += "</tr>\n";
  }
  body_ += "</table></div>\n";
}

std::string Page::Html() const {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "{3}\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{0}</title>\n"
      "<style>{1}</style>\n</head>\n<body>\n<main>\n<h1>{0}</h1>\n{2}</main>\n</body>\n</html>\n",
      Escaped(title_), kStyle, body_, kMark);
}

void CheckPage(const std::filesystem::path& path) {
  CheckReplaceable(path, "a page that this program wrote", [](std::span<const std::uint8_t> begin) {
    return std::string_view(reinterpret_cast<const char*>(begin.data()), begin.size()).find(kMark) !=
           std::string_view::npos;
  });
}

void Page::Write(const std::filesystem::path& path) const {
  CheckPage(path);
  WriteFileWhole(path, Html());
}

}  // namespace mobilenet
