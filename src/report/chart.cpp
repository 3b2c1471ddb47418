#include "report/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "report/html.h"

namespace mobilenet {
namespace {

// Round numbers from `low` to `high` on a logarithmic axis: 1, 2, 5 times powers of ten.
std::vector<double> LogTicks(double low, double high) {
  std::vector<double> ticks;
  const int last = static_cast<int>(std::floor(std::log10(high)));
  for (int exponent = static_cast<int>(std::floor(std::log10(low))); exponent <= last; ++exponent) {
    for (const double step : {1.0, 2.0, 5.0}) {
      const double tick = step * std::pow(10.0, exponent);
      if (tick >= low && tick <= high) ticks.push_back(tick);
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
    // A limit that is far from all dots stays outside.
    constexpr double kFar = 3;
    if (scatter.x_limit && *scatter.x_limit > left.x / kFar && *scatter.x_limit < right.x * kFar) {
      limit_ = scatter.x_limit;
    }
    x_low_ = std::min(left.x, limit_.value_or(left.x)) / 1.15;
    x_high_ = std::max(right.x, limit_.value_or(right.x)) * 1.15;
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
    if (limit_) svg += Line("limit", X(*limit_), Y(y_low_), X(*limit_), Y(y_high_));
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
  std::optional<double> limit_;
  double x_low_ = 0, x_high_ = 0, y_low_ = 0, y_high_ = 0;
};

// Labels beside their dots, where there is room: one that would cover another, a chosen dot or the edge is
// left out, and its dot's hint tells the same.
class Labels {
 public:
  explicit Labels(double width) : width_(width) {}

  // Keeps labels off a dot.
  void Avoid(double x, double y, double radius) {
    taken_.push_back({x - radius, x + radius, y - radius, y + radius});
  }

  std::string Place(double x, double y, double radius, const std::string& text) {
    const double length = kLetter * static_cast<double>(text.size());
    // To the left and above first, where a curve that rises and flattens leaves room; else to the right and
    // below, above, or below.
    const double beside = radius + 3;
    const std::array<std::pair<double, double>, 4> places = {{{x - beside - length, y - 3},
                                                              {x + beside, y + 12},
                                                              {x - length / 2, y - radius - 4},
                                                              {x - length / 2, y + radius + 12}}};
    for (const auto& [begin, baseline] : places) {
      const Box box{begin, begin + length, baseline - kHeight, baseline + 2};
      const bool free = std::ranges::none_of(taken_, [&](const Box& other) {
        return box.left < other.right && other.left < box.right && box.top < other.bottom &&
               other.top < box.bottom;
      });
      if (!free || begin < 0 || begin + length > width_) continue;
      taken_.push_back(box);
      return Axes::Text(begin, baseline, "start", text, "strong");
    }
    return "";
  }

 private:
  static constexpr double kLetter = 7.2, kHeight = 10;  // pixels, of 12-pixel text
  struct Box {
    double left, right, top, bottom;
  };
  double width_;
  std::vector<Box> taken_;
};

// A polygon of that many corners around a point, the first one at `turn` of the way around from the top.
std::string Polygon(const char* kind, double x, double y, double radius, int corners, double turn) {
  const double around = 2 * std::numbers::pi / corners;
  // As large as a circle of that radius.
  const double out = radius * std::sqrt(around / std::sin(around));
  std::string points;
  for (int i = 0; i < corners; ++i) {
    const double angle = around * i + 2 * std::numbers::pi * turn;
    points += fmt::format("{:.1f},{:.1f} ", x + out * std::sin(angle), y - out * std::cos(angle));
  }
  return fmt::format("<polygon class=\"{}\" points=\"{}\">", kind, points);
}

std::string MarkAt(Mark mark, const char* kind, double x, double y, double radius, const std::string& hint) {
  const std::string title = hint.empty() ? "" : fmt::format("<title>{}</title>", Escaped(hint));
  switch (mark) {
    case Mark::kCircle:
      return fmt::format("<circle class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\">{}</circle>\n", kind,
                         x, y, radius, title);
    case Mark::kSquare:
      return Polygon(kind, x, y, radius, 4, 0.125) + title + "</polygon>\n";
    case Mark::kTriangle:
      return Polygon(kind, x, y, radius, 3, 0) + title + "</polygon>\n";
    case Mark::kDiamond:
      return Polygon(kind, x, y, radius, 4, 0) + title + "</polygon>\n";
  }
  return "";
}

std::string ScatterOf(const Scatter& scatter, double width, double height, const char* screen) {
  const Axes axes(scatter, width, height);
  double largest = 0;
  for (const Dot& dot : scatter.dots) largest = std::max(largest, dot.size);
  std::string svg = fmt::format(
      "<svg class=\"{}\" viewBox=\"0 0 {} {}\" width=\"{}\" height=\"{}\" role=\"img\" aria-label=\"{} "
      "against {}\">\n{}",
      screen, width, height, width, height, Escaped(scatter.y_name), Escaped(scatter.x_name),
      axes.Frame(scatter));
  Labels labels(width);
  const auto radius_of = [&](const Dot& dot) { return 2 + 7 * std::sqrt(dot.size / largest); };
  for (const Dot& dot : scatter.dots) {
    if (dot.kind == "chosen") labels.Avoid(axes.X(dot.x), axes.Y(dot.y), radius_of(dot));
  }
  // Chosen dots last, so that nothing hides them.
  for (const bool chosen : {false, true}) {
    for (const Dot& dot : scatter.dots) {
      if ((dot.kind == "chosen") != chosen) continue;
      const double radius = radius_of(dot);
      svg += MarkAt(dot.mark, dot.kind.c_str(), axes.X(dot.x), axes.Y(dot.y), radius, dot.hint);
      if (!dot.label.empty()) svg += labels.Place(axes.X(dot.x), axes.Y(dot.y), radius, dot.label);
    }
  }
  return svg + "</svg>\n";
}

// A step of 1, 2 or 5 times a power of ten that cuts `range` into at most `most` parts.
double RoundStep(double range, int most) {
  double step = std::pow(10, std::floor(std::log10(range / most)));
  for (const double factor : {1.0, 2.0, 5.0, 10.0}) {
    if (range / (step * factor) <= most) return step * factor;
  }
  return 10 * step;
}

std::string LinesOf(const std::vector<Series>& series, const std::string& x_name, const std::string& y_name,
                    double width, double height, const char* screen) {
  constexpr double kLeft = 40, kRight = 12, kTop = 24, kBottom = 40;
  double low = series.front().values.front();
  double high = low;
  std::size_t count = 1;
  for (const Series& line : series) {
    for (const double value : line.values) {
      low = std::min(low, value);
      high = std::max(high, value);
    }
    count = std::max(count, line.values.size());
  }
  const double step = RoundStep(std::max(high - low, 1e-6), 6);
  low = std::floor(low / step) * step;
  high = std::max(std::ceil(high / step) * step, low + step);
  const auto x_of = [&](double i) {
    return kLeft + (width - kLeft - kRight) * (count > 1 ? i / static_cast<double>(count - 1) : 0.5);
  };
  const auto y_of = [&](double v) { return kTop + (height - kTop - kBottom) * (high - v) / (high - low); };
  std::string svg = fmt::format(
      "<svg class=\"{}\" viewBox=\"0 0 {} {}\" width=\"{}\" height=\"{}\" role=\"img\" aria-label=\"{} over "
      "{}\">\n",
      screen, width, height, width, height, Escaped(y_name), Escaped(x_name));
  const int ticks = static_cast<int>(std::lround((high - low) / step));
  for (int i = 0; i <= ticks; ++i) {
    const double y = y_of(low + i * step);
    svg += fmt::format("<line class=\"axis\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n",
                       kLeft, y, width - kRight, y);
    svg += Axes::Text(kLeft - 6, y + 4, "end", fmt::format("{:.4g}", low + i * step));
  }
  const auto every = static_cast<std::size_t>(std::max(1.0, RoundStep(static_cast<double>(count), 8)));
  for (std::size_t i = 0; i < count; ++i) {
    if (i == 0 || (i + 1) % every == 0)
      svg +=
          Axes::Text(x_of(static_cast<double>(i)), height - kBottom + 16, "middle", fmt::format("{}", i + 1));
  }
  svg += Axes::Text((width + kLeft) / 2, height - 4, "middle", x_name);
  svg += Axes::Text(4, 12, "start", y_name);
  for (const Series& line : series) {
    std::string points;
    for (std::size_t i = 0; i < line.values.size(); ++i)
      points += fmt::format("{:.1f},{:.1f} ", x_of(static_cast<double>(i)), y_of(line.values[i]));
    if (line.values.size() == 1) {
      svg += fmt::format("<circle class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\"/>\n", line.kind, x_of(0),
                         y_of(line.values[0]));
    } else {
      svg += fmt::format("<polyline class=\"line {}\" points=\"{}\"/>\n", line.kind, points);
    }
  }
  return svg + "</svg>\n";
}

}  // namespace

std::string LineChart(const std::vector<Series>& series, const std::string& x_name,
                      const std::string& y_name) {
  if (series.empty() || series.front().values.empty()) return "";
  std::vector<LegendItem> items;
  items.reserve(series.size());
  for (const Series& line : series) items.push_back({line.kind, line.name});
  return Legend(items) + LinesOf(series, x_name, y_name, 760, 300, "wide") +
         LinesOf(series, x_name, y_name, 344, 260, "narrow");
}

std::string BarChart(const std::vector<BarRow>& rows, double full) {
  double longest = full;
  for (const BarRow& row : rows) {
    double length = 0;
    for (const BarPart& part : row.parts) length += part.value;
    if (full == 0) longest = std::max(longest, length);
  }
  std::string html = "<div class=\"bars\">\n";
  for (const BarRow& row : rows) {
    html += fmt::format("<span>{}</span><span class=\"track\">", Escaped(row.name));
    for (const BarPart& part : row.parts) {
      if (part.value <= 0) continue;
      html +=
          fmt::format("<i class=\"{}\" style=\"width:{:.3f}%\"></i>", part.kind, 100 * part.value / longest);
    }
    if (row.mark) html += fmt::format("<b style=\"left:{:.3f}%\"></b>", 100 * *row.mark / longest);
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

std::string MarkLegend(const std::vector<MarkItem>& items) {
  std::string html = "<div class=\"legend\">";
  for (const MarkItem& item : items) {
    html += fmt::format(
        "<span><svg viewBox=\"0 0 14 14\" width=\"14\" height=\"14\" aria-hidden=\"true\">{}</svg>{}</span>",
        MarkAt(item.mark, "timed", 7, 7, 4.5, ""), Escaped(item.name));
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
