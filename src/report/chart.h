// Charts as HTML: bars made of rows, dots on two axes, and feature maps and filters as boxes.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace mobilenet {

// A part of a bar: `kind` is a class of the page's style ("depthwise", "pointwise", "standard", "fully").
struct BarPart {
  std::string kind;
  double value = 0;
};

struct BarRow {
  std::string name;
  std::vector<BarPart> parts;
  std::string value;                          // as text, behind the bar
  std::optional<double> mark = std::nullopt;  // a line across the bar, to its scale
};

// Bars to one scale, whose end is `full`, or where that is 0 the longest bar. Names that are too long for the
// screen wrap.
std::string BarChart(const std::vector<BarRow>& rows, double full = 0);

// A swatch with a name for each kind; kinds as in BarPart, or "open", "timed", "chosen" for dots.
struct LegendItem {
  std::string kind;
  std::string name;
};
std::string Legend(const std::vector<LegendItem>& items);

// What a dot looks like; all are of one area.
enum class Mark { kCircle, kSquare, kTriangle, kDiamond };

// The same for marks.
struct MarkItem {
  Mark mark = Mark::kCircle;
  std::string name;
};
std::string MarkLegend(const std::vector<MarkItem>& items);

struct Dot {
  double x = 0;  // above 0
  double y = 0;
  double size = 0;    // shown as the area, to the largest one's scale
  std::string kind;   // "open", "timed" or "chosen"
  std::string label;  // beside the dot; may be empty
  std::string hint;   // shown when pointed at
  Mark mark = Mark::kCircle;
};

struct Scatter {
  std::vector<Dot> dots;
  std::string x_name;  // the axis is logarithmic
  std::string y_name;
  std::optional<double> x_limit;  // drawn as a dashed line
};

// Twice, for wide screens and for phones; the style shows the one that fits.
std::string ScatterChart(const Scatter& scatter);

// One line of a chart: a value for each of 1, 2, 3, ... `kind` is a class of the page's style.
struct Series {
  std::string kind;
  std::string name;
  std::vector<double> values;
};

// Lines over one axis from 1 on, twice as ScatterChart is; a legend above.
std::string LineChart(const std::vector<Series>& series, const std::string& x_name,
                      const std::string& y_name);

// A block of height x width x depth, drawn to the scale of square roots so that 3 beside 224 can be seen.
// `kind` as in BarPart, or "map".
std::string BoxDrawing(double height, double width, double depth, const std::string& kind);

}  // namespace mobilenet
