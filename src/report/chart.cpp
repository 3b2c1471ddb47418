#include "report/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/html.h"

namespace mobilenet {
namespace {

// Round numbers from `low` to `high` on a logarithmic axis: 1, 2, 5 times powers of ten.
std::vector<double> LogTicks(double low, double high) {
  std::vector<double> ticks;
  for (double decade = std::pow(10.0, std::floor(std::log10(low))); decade <= high; decade *= 10) {
    for (const double step : {1.0, 2.0, 5.0}) {
      if (step * decade >= low && step * decade <= high) ticks.push_back(step * decade);
    }
  }
  return ticks;
}

// Where a plot of `width` pixels puts things.
class Axes {
 public:
  Axes(const Scatter& scatter, double width, double height) : width_(width), height_(height) {
    const auto [left, right] = std::ranges::minmax(scatter.dots, {}, &Dot::x);
    const auto [bottom, top] = std::ranges::minmax(scatter.dots, {}, &Dot::y);
    x_low_ = std::min(left.x, scatter.x_limit.value_or(left.x)) / 1.15;
    x_high_ = std::max(right.x, scatter.x_limit.value_or(right.x)) * 1.15;
    y_low_ = std::floor((bottom.y - 1) / 5) * 5;
    y_high_ = std::ceil((top.y + 1) / 5) * 5;
  }

  [[nodiscard]] double X(double value) const {
    return kLeft + (width_ - kLeft - kRight) * std::log(value / x_low_) / std::log(x_high_ / x_low_);
  }
  [[nodiscard]] double Y(double value) const {
    return kTop + (height_ - kTop - kBottom) * (y_high_ - value) / (y_high_ - y_low_);
  }

  [[nodiscard]] std::string Frame(const Scatter& scatter) const {
    std::string svg;
    for (const double tick : LogTicks(x_low_, x_high_)) {
      svg += Line("axis", X(tick), Y(y_low_), X(tick), Y(y_high_));
      svg += Text(X(tick), height_ - kBottom + 16, "middle", fmt::format("{:g}", tick));
    }
    for (double tick = y_low_; tick <= y_high_; tick += 5) {
      svg += Line("axis", kLeft, Y(tick), width_ - kRight, Y(tick));
      svg += Text(kLeft - 6, Y(tick) + 4, "end", fmt::format("{:g}", tick));
    }
    if (scatter.x_limit)
      svg += Line("limit", X(*scatter.x_limit), Y(y_low_), X(*scatter.x_limit), Y(y_high_));
    svg += Text((width_ + kLeft) / 2, height_ - 4, "middle", scatter.x_name);
    return svg + Text(4, 12, "start", scatter.y_name);
  }

  static std::string Text(double x, double y, const char* anchor, const std::string& text,
                          const char* kind = "") {
    return fmt::format("<text class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", kind, x,
                       y, anchor, Escaped(text));
  }

 private:
  static constexpr double kLeft = 34, kRight = 12, kTop = 24, kBottom = 40;

  static std::string Line(const char* kind, double x1, double y1, double x2, double y2) {
    return fmt::format("<line class=\"{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n", kind,
                       x1, y1, x2, y2);
  }

  double width_, height_;
  double x_low_ = 0, x_high_ = 0, y_low_ = 0, y_high_ = 0;
};

// Labels beside their dots, where there is room: one that would cover another is left out, and its dot's hint
// tells the same.
class Labels {
 public:
  std::string Place(double x, double y, double radius, const std::string& text) {
    // To the left and above first, where a curve that rises and flattens leaves room; else to the right and
    // below.
    const double width = kLetter * static_cast<double>(text.size());
    for (const bool left : {true, false}) {
      const double begin = left ? x - radius - 3 - width : x + radius + 3;
      const double baseline = left ? y - 3 : y + 12;
      const bool free = std::ranges::none_of(taken_, [&](const Taken& other) {
        return begin < other.begin + other.width && other.begin < begin + width &&
               std::abs(baseline - other.baseline) < kLine;
      });
      if (!free || begin < 0) continue;
      taken_.push_back({begin, width, baseline});
      return Axes::Text(left ? begin + width : begin, baseline, left ? "end" : "start", text, "strong");
    }
    return "";
  }

 private:
  static constexpr double kLetter = 7.5, kLine = 13;  // pixels, of 12-pixel text
  struct Taken {
    double begin, width, baseline;
  };
  std::vector<Taken> taken_;
};

std::string ScatterOf(const Scatter& scatter, double width, double height, const char* screen) {
  const Axes axes(scatter, width, height);
  double largest = 0;
  for (const Dot& dot : scatter.dots) largest = std::max(largest, dot.size);
  std::string svg = fmt::format(
      "<svg class=\"{}\" viewBox=\"0 0 {} {}\" width=\"{}\" height=\"{}\" role=\"img\" aria-label=\"{} "
      "against {}\">\n{}",
      screen, width, height, width, height, Escaped(scatter.y_name), Escaped(scatter.x_name),
      axes.Frame(scatter));
  Labels labels;
  // Chosen dots last, so that nothing hides them.
  for (const bool chosen : {false, true}) {
    for (const Dot& dot : scatter.dots) {
      if ((dot.kind == "chosen") != chosen) continue;
      const double radius = 2 + 7 * std::sqrt(dot.size / largest);
      svg += fmt::format(
          "<circle class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\"><title>{}</title></circle>\n",
          dot.kind, axes.X(dot.x), axes.Y(dot.y), radius, Escaped(dot.hint));
      if (!dot.label.empty()) svg += labels.Place(axes.X(dot.x), axes.Y(dot.y), radius, dot.label);
    }
  }
  return svg + "</svg>\n";
}

}  // namespace

std::string BarChart(const std::vector<BarRow>& rows) {
  double longest = 0;
  for (const BarRow& row : rows) {
    double length = 0;
    for (const BarPart& part : row.parts) length += part.value;
    longest = std::max(longest, length);
  }
  std::string html = "<div class=\"bars\">\n";
  for (const BarRow& row : rows) {
    html += fmt::format("<span>{}</span><span class=\"track\">", Escaped(row.name));
    for (const BarPart& part : row.parts) {
      if (part.value <= 0) continue;
      html +=
          fmt::format("<i class=\"{}\" style=\"width:{:.3f}%\"></i>", part.kind, 100 * part.value / longest);
    }
    html += fmt::format("</span><span class=\"value\">{}</span>\n", Escaped(row.value));
  }
  return html + "</div>\n";
}

std::string Legend(const std::vector<LegendItem>& items) {
  std::string html = "<div class=\"legend\">";
  for (const LegendItem& item : items) {
    const bool round = item.kind == "open" || item.kind == "timed" || item.kind == "chosen";
    html += fmt::format("<span><i class=\"{}{}\"></i>{}</span>", round ? "round " : "", item.kind,
                        Escaped(item.name));
  }
  return html + "</div>\n";
}

std::string ScatterChart(const Scatter& scatter) {
  if (scatter.dots.empty()) return "";
  return ScatterOf(scatter, 760, 420, "wide") + ScatterOf(scatter, 344, 380, "narrow");
}

std::string BoxDrawing(double height, double width, double depth, const std::string& kind) {
  // Pixels; the depth goes up and to the right.
  const double h = 8 * std::sqrt(height);
  const double w = 8 * std::sqrt(width);
  const double d = 2.4 * std::sqrt(depth);
  const auto shape = [&](const char* face, const std::string& points) {
    return fmt::format("<polygon class=\"box {} {}\" points=\"{}\"/>", kind, face, points);
  };
  return fmt::format(
      "<svg width=\"{:.0f}\" height=\"{:.0f}\" viewBox=\"0 0 {:.1f} {:.1f}\" "
      "aria-hidden=\"true\">{}{}{}</svg>",
      w + d + 2, h + d + 2, w + d + 2, h + d + 2,
      shape("front",
            fmt::format("1,{0:.1f} {1:.1f},{0:.1f} {1:.1f},{2:.1f} 1,{2:.1f}", d + 1, w + 1, h + d + 1)),
      shape("top",
            fmt::format("1,{0:.1f} {1:.1f},{0:.1f} {2:.1f},1 {3:.1f},1", d + 1, w + 1, w + d + 1, d + 1)),
      shape("side", fmt::format("{0:.1f},{1:.1f} {2:.1f},1 {2:.1f},{3:.1f} {0:.1f},{4:.1f}", w + 1, d + 1,
                                w + d + 1, h + 1, h + d + 1)));
}

}  // namespace mobilenet
