#include "report/pages.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <variant>

#include "report/chart.h"
#include "report/text.h"

namespace mobilenet {
namespace {

std::string Count64(std::int64_t value) { return Count(static_cast<double>(value)); }
std::string Bytes64(std::int64_t value) { return Bytes(static_cast<double>(value)); }

// The first word of its name; one that has no colour of its own is drawn in the default one.
std::string StyleOf(LayerKind kind) {
  if (kind == LayerKind::kConvolution) return "standard";
  const std::string name(NameOf(kind));
  return name.substr(0, name.find(' '));
}

void AddLayerBars(const Network& network, const Cost& cost, Page& page) {
  std::vector<BarRow> macs;
  std::vector<BarRow> params;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const Layer& layer = network.layers[i];
    const LayerCost& item = cost.layers[i];
    if (item.params == 0) continue;
    const std::string kind = StyleOf(layer.kind);
    macs.push_back({layer.name, {{kind, static_cast<double>(item.macs)}}, Count64(item.macs)});
    params.push_back({layer.name, {{kind, static_cast<double>(item.params)}}, Count64(item.params)});
  }
  const std::vector<LegendItem> kinds = {{"standard", "standard convolution"},
                                         {"depthwise", "depthwise"},
                                         {"pointwise", "pointwise"},
                                         {"fully", "fully connected"}};
  page.Heading("Mult-adds, layer by layer");
  page.Add(Legend(kinds));
  page.Add(BarChart(macs));
  page.Heading("Parameters, layer by layer");
  page.Add(Legend(kinds));
  page.Add(BarChart(params));
}

std::string BoxFigure(const Shape& shape, const std::string& kind, const std::string& title,
                      const std::string& text) {
  return fmt::format("<figure>{}<b>{}</b><br>{}</figure>\n",
                     BoxDrawing(shape.height, shape.width, shape.channels, kind), Escaped(title),
                     Escaped(text));
}

// One block drawn as what goes in, what slides over it, and what comes out.
void AddBoxes(const BlockComparison& block, Page& page) {
  const int kernel = block.kernel;
  const int m = block.input.channels;
  const int n = block.output.channels;
  const Shape between{block.output.height, block.output.width, m};
  const auto arrow = [&](const char* sign) { page.Add(fmt::format("<span>{}</span>", sign)); };
  const auto map = [&](const Shape& shape, const char* name) {
    page.Add(BoxFigure(shape, "map", name, ShapeName(shape)));
  };
  page.Heading("What a separable block saves: " + block.name);
  page.Paragraph(fmt::format("A standard convolution filters and mixes channels at once: {} mult-adds.",
                             Count64(block.standard.macs)));
  page.Add("<div class=\"flow\">");
  map(block.input, "input");
  arrow("∗");
  page.Add(BoxFigure({kernel, kernel, m}, "standard", fmt::format("{} filters", n),
                     fmt::format("{0}x{0}x{1}", kernel, m)));
  arrow("→");
  map(block.output, "output");
  page.Add("</div>\n");
  page.Paragraph(fmt::format(
      "A separable one filters each channel by itself ({} mult-adds), then mixes them with a 1x1 "
      "convolution ({}): {} in all, {:.1f} times fewer.",
      Count64(block.depthwise.macs), Count64(block.pointwise.macs), Count64(block.separable_macs()),
      static_cast<double>(block.standard.macs) / static_cast<double>(block.separable_macs())));
  page.Add("<div class=\"flow\">");
  map(block.input, "input");
  arrow("∗");
  page.Add(BoxFigure({kernel, kernel, 1}, "depthwise", fmt::format("{} filters, depthwise", m),
                     fmt::format("{0}x{0}x1", kernel)));
  arrow("→");
  map(between, "filtered");
  arrow("∗");
  page.Add(
      BoxFigure({1, 1, m}, "pointwise", fmt::format("{} filters, pointwise", n), fmt::format("1x1x{}", m)));
  arrow("→");
  map(block.output, "output");
  page.Add("</div>\n");
  page.Note(
      "Sides are drawn to the scale of their square roots, so that small filters can be seen beside large "
      "maps.");
}

void AddComparison(const Network& network, Page& page) {
  const std::vector<BlockComparison> blocks = CompareWithStandard(network);
  if (blocks.empty()) return;
  const auto& shown =
      *std::ranges::max_element(blocks, {}, [](const BlockComparison& b) { return b.standard.macs; });
  AddBoxes(shown, page);

  std::vector<BarRow> bars;
  for (const BlockComparison& b : blocks) {
    bars.push_back({b.name, {{"standard", static_cast<double>(b.standard.macs)}}, Count64(b.standard.macs)});
    bars.push_back({"",
                    {{"depthwise", static_cast<double>(b.depthwise.macs)},
                     {"pointwise", static_cast<double>(b.pointwise.macs)}},
                    Count64(b.separable_macs())});
  }
  page.Heading("Every block, standard and separable");
  page.Paragraph(
      "Mult-adds of each block as a standard convolution, and below it as depthwise and pointwise. The ratio "
      "is "
      "1/N + 1/K², with N channels out and K the kernel (Howard et al. 2017, section 3.1).");
  page.Add(Legend({{"standard", "standard"}, {"depthwise", "depthwise"}, {"pointwise", "pointwise"}}));
  page.Add(BarChart(bars));

  const std::optional<Network> twin = StandardTwin(network);
  if (!twin) return;
  const Cost standard = CostOf(*twin);
  const Cost separable = CostOf(network);
  page.Paragraph(fmt::format(
      "The whole network: {} mult-adds and {} parameters standard, {} and {} separable: {:.1f} and {:.1f} "
      "times fewer.",
      Count64(standard.macs), Count64(standard.params), Count64(separable.macs), Count64(separable.params),
      static_cast<double>(standard.macs) / static_cast<double>(separable.macs),
      static_cast<double>(standard.params) / static_cast<double>(separable.params)));
}

Mark MarkOf(const Recipe& recipe) {
  constexpr std::array<Mark, 4> kMarks = {Mark::kCircle, Mark::kSquare, Mark::kTriangle, Mark::kDiamond};
  static_assert(kMarks.size() == std::variant_size_v<Recipe>);
  return kMarks[recipe.index()];
}

// Of the versions that there are, each once.
std::string MarksOf(const std::vector<Candidate>& candidates) {
  std::vector<MarkItem> items;
  for (std::size_t v = 0; v < std::variant_size_v<Recipe>; ++v) {
    const auto found = std::ranges::find(candidates, v, [](const Candidate& c) { return c.recipe.index(); });
    if (found != candidates.end()) items.push_back({MarkOf(found->recipe), fmt::format("V{}", v + 1)});
  }
  return MarkLegend(items);
}

Dot DotOf(const Candidate& c, const std::string& kind) {
  return {c.latency_ms(),
          100 * c.accuracy.top1,
          static_cast<double>(c.size_bytes),
          kind,
          kind == "chosen" ? NetworkName(c.recipe) : "",
          fmt::format("{} in {}: {} top-1 ({}), {}{}, {}", NetworkName(c.recipe), NameOf(c.precision),
                      AccuracyText(c.accuracy), SourceText(c.accuracy), Milliseconds(c.latency_ms()),
                      c.timing ? "" : " (predicted)", Bytes64(c.size_bytes)),
          MarkOf(c.recipe)};
}

std::vector<std::string> ChoiceRow(const Candidate& c) {
  return {NetworkName(c.recipe),
          std::string(NameOf(c.precision)),
          AccuracyText(c.accuracy),
          SourceText(c.accuracy),
          c.timing ? Milliseconds(c.timing->median_ms) : "",
          c.timing ? fmt::format("{:.3f} to {:.3f}", c.timing->low_ms, c.timing->high_ms) : "",
          Milliseconds(c.predicted_ms),
          Count64(c.macs),
          Bytes64(c.size_bytes),
          Bytes64(c.memory_bytes),
          fmt::format("{} {}", Millijoules(c.energy.millijoules), NameOf(c.energy.source))};
}

// Latency against accuracy, where there are predictions.
void AddLatencies(const FitResult& result, const FitOptions& options, Page& page) {
  if (!std::ranges::all_of(result.grid, [](const Candidate& c) { return c.latency_ms() > 0; })) return;
  Scatter scatter{{}, "latency in milliseconds", "ImageNet top-1 in percent", options.limits.latency_ms};
  for (const Candidate& c : result.grid) {
    const bool chosen = std::ranges::any_of(result.choices, [&](const Candidate& other) {
      return other.recipe == c.recipe && other.precision == c.precision;
    });
    scatter.dots.push_back(DotOf(c, chosen ? "chosen" : (c.timing ? "timed" : "open")));
  }
  page.Heading("Latency against accuracy");
  page.Add(Legend({{"chosen", "chosen"}, {"timed", "timed"}, {"open", "predicted"}}));
  page.Add(MarksOf(result.grid));
  page.Add(ScatterChart(scatter));
  page.Note(
      "A dot's area is the size of the weights; the dashed line is the limit on latency. Accuracy is what is "
      "published for a network, or interpolated (~) between those of which it is.");
}

std::string LimitsText(const Limits& limits) {
  std::string text;
  const auto add = [&](const char* name, const std::optional<double>& limit, auto&& show) {
    if (limit) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, show(*limit));
  };
  add("latency", limits.latency_ms, Milliseconds);
  add("size", limits.size_bytes, Bytes);
  add("memory", limits.memory_bytes, Bytes);
  add("mult-adds", limits.macs, Count);
  add("energy", limits.energy_mj, Millijoules);
  return text.empty() ? "none" : text;
}

}  // namespace

std::string NetworkName(const Recipe& recipe) {
  const auto [alpha, side] = std::visit(
      [](const auto& options) { return std::pair(options.alpha, options.resolution.height); }, recipe);
  return fmt::format("{}-{:g}{}-{}", NameOf(recipe), alpha, alpha == std::round(alpha) ? ".0" : "", side);
}
std::string Milliseconds(double ms) {
  return ms < 0.0995 || ms >= 1e6 ? fmt::format("{:.3g} ms", ms)
                                  : fmt::format("{:.{}f} ms", ms, ms < 0.9995 ? 3 : 2);
}
std::string Millijoules(double mj) {
  return mj < 0.0995 || mj >= 1e6 ? fmt::format("{:.3g} mJ", mj)
                                  : fmt::format("{:.{}f} mJ", mj, mj < 0.9995 ? 3 : 2);
}
std::string AccuracyText(const Accuracy& accuracy) {
  return fmt::format("{}{:.1f} %", accuracy.published ? "" : "~", 100 * accuracy.top1);
}
std::string SourceText(const Accuracy& accuracy) {
  return fmt::format("{} {}", accuracy.published ? "by" : "between those by", accuracy.source);
}
std::string ShapeName(const Shape& shape) {
  return fmt::format("{}x{}x{}", shape.height, shape.width, shape.channels);
}

std::string MissText(const FitResult& result) {
  const Candidate& c = *result.nearest;
  std::string text;
  for (const Excess& excess : result.binding) {
    text += text.empty() ? "" : ", and ";
    if (excess.limit == "latency") {
      text += fmt::format("a latency of {}, allowed {}", Milliseconds(excess.value),
                          Milliseconds(excess.allowed));
    } else if (excess.limit == "energy") {
      text += fmt::format("an {} energy of {}, allowed {}", NameOf(c.energy.source),
                          Millijoules(excess.value), Millijoules(excess.allowed));
    } else if (excess.limit == "macs") {
      text += fmt::format("{} mult-adds, allowed {}", Count(excess.value), Count(excess.allowed));
    } else {
      text += fmt::format("a {} of {}, allowed {}", excess.limit, Bytes(excess.value), Bytes(excess.allowed));
    }
  }
  return fmt::format("no network meets the limits: the nearest, {}, has {}", NetworkName(c.recipe), text);
}

Page CostPage(const Network& network, const Cost& cost, Precision precision, const std::string& command) {
  Page page(TitleOf(network));
  page.Figures({{Count64(cost.macs), "mult-adds for one image"},
                {Count64(cost.params), "parameters, " + Counted(network.classes(), "class", "classes")},
                {Bytes64(cost.weight_bytes), fmt::format("of weights in {}", NameOf(precision))},
                {Bytes64(cost.peak_activation_bytes), "of feature maps at most"}});
  AddComparison(network, page);
  AddLayerBars(network, cost, page);
  page.Heading("Make this page again");
  page.Code(command);
  return page;
}

Page FitPage(const FitResult& result, const FitOptions& options, const std::string& processor,
             const std::string& command) {
  Page page("Which MobileNet fits this machine");
  page.Paragraph(fmt::format(
      "{}, {}. Limits: {}. Versions: {}. Accuracies: {}.", processor, Counted(options.threads, "thread"),
      LimitsText(options.limits),
      options.versions.empty() ? "all" : fmt::format("{}", fmt::join(options.versions, ", ")),
      options.training == TrainingRecipe::kTimm ? "as timm trains" : "as the papers' authors trained"));
  if (result.nearest) {
    std::string miss = MissText(result) + ".";
    miss.front() = 'N';
    page.Paragraph(miss);
  }
  AddLatencies(result, options, page);
  if (!result.choices.empty()) {
    std::vector<std::vector<std::string>> rows;
    for (const Candidate& c : result.choices) rows.push_back(ChoiceRow(c));
    page.Heading("The choices");
    page.Rows({"network", "precision", ">top-1", "published", ">latency", ">half within", ">predicted",
               ">mult-adds", ">size", ">memory", ">energy"},
              rows);
    page.Note(
        "Memory is weights and feature maps. Energy that is estimated sums multiplications, additions and "
        "bytes moved at "
        "the prices of Horowitz (ISSCC 2014): for comparing networks, not a bill.");
  }
  if (!result.checked.empty()) {
    std::vector<std::vector<std::string>> rows;
    for (const Candidate& c : result.checked) {
      rows.push_back({NetworkName(c.recipe), std::string(NameOf(c.precision)),
                      Milliseconds(c.timing->median_ms), Milliseconds(c.predicted_ms),
                      fmt::format("{:+.1f} %", 100 * (c.predicted_ms / c.timing->median_ms - 1))});
    }
    page.Heading("How well the model predicts networks that it did not see");
    page.Rows({"network", "precision", ">measured", ">predicted", ">error"}, rows);
  }
  page.Heading("Make this page again");
  page.Code(command);
  return page;
}

namespace {

// The accuracies that V1's authors published, over what each of its networks costs.
void AddAccuracies(Page& page) {
  Scatter scatter{{}, "mult-adds in millions", "ImageNet top-1 in percent", std::nullopt};
  for (const Candidate& c : FitGrid({.versions = {"v1"}})) {
    if (!c.accuracy.published || c.precision != Precision::kFloat32) continue;
    Dot dot = DotOf(c, std::get<V1Options>(c.recipe).resolution == 224 ? "chosen" : "timed");
    dot.x = static_cast<double>(c.macs) / 1e6;
    dot.hint = fmt::format("{}: {} top-1, {} mult-adds", NetworkName(c.recipe), AccuracyText(c.accuracy),
                           Count64(c.macs));
    scatter.dots.push_back(std::move(dot));
  }
  page.Heading("Accuracy against cost, for both knobs");
  page.Add(Legend({{"chosen", "alpha 0.25 to 1 at 224 x 224"}, {"timed", "the same at 128, 160 and 192"}}));
  page.Add(ScatterChart(scatter));
  page.Note(
      "Mult-adds are counted here; accuracy is that of the checkpoints that TF-Slim publishes for alpha "
      "0.25, 0.5, 0.75 "
      "and 1. A dot's area is the size of the weights.");
}

}  // namespace

Page PaperPage(const Paper& paper, const std::string& command) {
  Page page(fmt::format("The paper of MobileNet V{}, counted again", paper.version.substr(1)));
  page.Paragraph(
      fmt::format("The countable columns of {}, as printed there and as counted here from the "
                  "description of the networks.",
                  paper.citation));
  if (paper.version == "v1") AddAccuracies(page);
  for (const PaperTable& table : paper.tables) {
    std::vector<std::string> headings = {""};
    for (const std::string& column : table.columns) {
      headings.push_back(">" + column + ": paper");
      headings.emplace_back(">ours");
      headings.emplace_back("");
    }
    std::vector<std::vector<std::string>> rows;
    std::vector<std::string> notes;
    for (const PaperRow& row : table.rows) {
      std::vector<std::string>& cells = rows.emplace_back(1, row.name);
      for (const PaperCell& cell : row.cells) {
        cells.push_back(cell.paper);
        cells.push_back(cell.ours);
        cells.push_back(cell.note.empty() ? "=" : fmt::format("({})", notes.size() + 1));
        if (!cell.note.empty()) notes.push_back(cell.note);
      }
    }
    page.Heading(fmt::format("Table {}. {}", table.number, table.title));
    page.Rows(headings, rows);
    for (std::size_t i = 0; i < notes.size(); ++i) page.Note(fmt::format("({}) {}", i + 1, notes[i]));
  }
  page.Heading("Make this page again");
  page.Code(command);
  return page;
}

}  // namespace mobilenet
