// Howard et al. 2019.
#include <array>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/fail.h"
#include "mobilenet/cost.h"
#include "network/paper_cells.h"

namespace mobilenet {
namespace {

// A row of an architecture: a block, or a layer that is in none. 0 for what it has none of.
struct Row {
  int side;
  int channels;
  const char* layer;
  int kernel;
  int expanded;
  int output;
  bool squeezed;
  const char* activation;
  int stride;
};

// Table 1, as printed; k is 1000.
constexpr std::array<Row, 20> kLarge = {{{224, 3, "conv2d", 3, 0, 16, false, "HS", 2},
                                         {112, 16, "bneck", 3, 16, 16, false, "RE", 1},
                                         {112, 16, "bneck", 3, 64, 24, false, "RE", 2},
                                         {56, 24, "bneck", 3, 72, 24, false, "RE", 1},
                                         {56, 24, "bneck", 5, 72, 40, true, "RE", 2},
                                         {28, 40, "bneck", 5, 120, 40, true, "RE", 1},
                                         {28, 40, "bneck", 5, 120, 40, true, "RE", 1},
                                         {28, 40, "bneck", 3, 240, 80, false, "HS", 2},
                                         {14, 80, "bneck", 3, 200, 80, false, "HS", 1},
                                         {14, 80, "bneck", 3, 184, 80, false, "HS", 1},
                                         {14, 80, "bneck", 3, 184, 80, false, "HS", 1},
                                         {14, 80, "bneck", 3, 480, 112, true, "HS", 1},
                                         {14, 112, "bneck", 3, 672, 112, true, "HS", 1},
                                         {14, 112, "bneck", 5, 672, 160, true, "HS", 2},
                                         {7, 160, "bneck", 5, 960, 160, true, "HS", 1},
                                         {7, 160, "bneck", 5, 960, 160, true, "HS", 1},
                                         {7, 160, "conv2d", 1, 0, 960, false, "HS", 1},
                                         {7, 960, "pool", 7, 0, 0, false, "-", 1},
                                         {1, 960, "conv2d, NBN", 1, 0, 1280, false, "HS", 1},
                                         {1, 1280, "conv2d, NBN", 1, 0, 1000, false, "-", 1}}};
// Table 2.
constexpr std::array<Row, 16> kSmall = {{{224, 3, "conv2d", 3, 0, 16, false, "HS", 2},
                                         {112, 16, "bneck", 3, 16, 16, true, "RE", 2},
                                         {56, 16, "bneck", 3, 72, 24, false, "RE", 2},
                                         {28, 24, "bneck", 3, 88, 24, false, "RE", 1},
                                         {28, 24, "bneck", 5, 96, 40, true, "HS", 2},
                                         {14, 40, "bneck", 5, 240, 40, true, "HS", 1},
                                         {14, 40, "bneck", 5, 240, 40, true, "HS", 1},
                                         {14, 40, "bneck", 5, 120, 48, true, "HS", 1},
                                         {14, 48, "bneck", 5, 144, 48, true, "HS", 1},
                                         {14, 48, "bneck", 5, 288, 96, true, "HS", 2},
                                         {7, 96, "bneck", 5, 576, 96, true, "HS", 1},
                                         {7, 96, "bneck", 5, 576, 96, true, "HS", 1},
                                         {7, 96, "conv2d", 1, 0, 576, true, "HS", 1},
                                         {7, 576, "pool", 7, 0, 0, false, "-", 1},
                                         {1, 576, "conv2d, NBN", 1, 0, 1024, false, "HS", 1},
                                         {1, 1024, "conv2d, NBN", 1, 0, 1000, false, "-", 1}}};

constexpr const char* kNoSqueeze =
    "neither the authors' code nor any other squeezes and excites this one; with it the network would have "
    "0.17 M parameters more";

const char* ActivationOf(const Layer& layer) {
  if (layer.activation == Activation::kNone) return "-";
  return layer.activation == Activation::kHardSwish ? "HS" : "RE";
}

Row RowOf(const Layer& layer) {
  const bool average = layer.kind == LayerKind::kGlobalAveragePool;
  return {.side = layer.input.height,
          .channels = layer.input.channels,
          .layer = average            ? "pool"
                   : layer.batch_norm ? "conv2d"
                                      : "conv2d, NBN",
          .kernel = average ? layer.input.height : layer.kernel,
          .expanded = 0,
          .output = average ? 0 : layer.output.channels,
          .squeezed = false,
          .activation = ActivationOf(layer),
          .stride = layer.stride.down};
}

Row RowOf(Part part) {
  const Layer& first = part.front();
  if (part.size() == 1) return RowOf(first);
  Row row = {.side = first.input.height,
             .channels = first.input.channels,
             .layer = "bneck",
             .kernel = 0,
             .expanded = 0,
             .output = part.back().output.channels,
             .squeezed = false,
             .activation = ActivationOf(first),
             .stride = 1};
  for (const Layer& layer : part) {
    row.squeezed |= layer.kind == LayerKind::kScale;
    if (layer.kind != LayerKind::kDepthwise) continue;
    row.kernel = layer.kernel;
    row.expanded = layer.output.channels;
    row.stride = layer.stride.down;
  }
  return row;
}

std::string OrDash(int number) { return number == 0 ? "-" : std::to_string(number); }

std::vector<std::string> TextsOf(const Row& row) {
  return {Size({row.side, row.side, row.channels}),
          Concat(row.layer, ", ", row.kernel, " x ", row.kernel),
          OrDash(row.expanded),
          OrDash(row.output),
          row.squeezed ? "yes" : "-",
          row.activation,
          std::to_string(row.stride)};
}

PaperTable Architecture(int number, const char* title, const Network& network, std::span<const Row> printed) {
  PaperTable table{number, title, {"input", "operator", "exp size", "out", "SE", "NL", "s"}, {}};
  const std::vector<Part> parts = PartsOf(network);
  for (std::size_t i = 0; i < printed.size(); ++i) {
    const std::vector<std::string> paper = TextsOf(printed[i]);
    const std::vector<std::string> ours = TextsOf(RowOf(parts.at(i)));
    PaperRow& row = table.rows.emplace_back(PaperRow{Concat("row ", i + 1), {}});
    for (std::size_t c = 0; c < paper.size(); ++c)
      row.cells.push_back({paper[c], ours[c], paper[c] == ours[c] ? "" : kNoSqueeze});
  }
  return table;
}

PaperRow NetworkRow(const char* name, const char* macs, const char* params, const Network& network,
                    std::string macs_note = "", std::string params_note = "") {
  const Cost cost = CostOf(network);
  return {name,
          {Number(macs, Millions(cost.macs), std::move(macs_note)),
           Number(params, Millions(cost.params), std::move(params_note))}};
}

PaperTable OnImagenet() {
  const Network small = V3({.variant = V3Variant::kSmall});
  const Network narrow = V3({.variant = V3Variant::kSmall, .alpha = 0.75});
  return {3,
          "Floating point performance on the Pixel family (and TF-Slim's minimalistic networks)",
          NetworkColumns(),
          {NetworkRow("V3-Large 1.0", "219", "5.4", V3(), "216.6; the authors' list of checkpoints says 217",
                      "5.48, cut off rather than rounded"),
           NetworkRow("V3-Large 0.75", "155", "4.0", V3({.alpha = 0.75})),
           NetworkRow("V2 1.0", "300", "3.4", V2(), "300.8, cut off rather than rounded",
                      "3.50; without batch norms and biases 3.47, cut off"),
           NetworkRow("V3-Small 1.0", "56", "2.5", small, "56.51, cut off rather than rounded"),
           NetworkRow("V3-Small 0.75", "44", "2.0", narrow, "43.4; we know no network of 44"),
           NetworkRow("V2 0.35", "59.2", "1.6", V2({.alpha = 0.35}), "59.29, cut off rather than rounded",
                      "1.68, cut off rather than rounded"),
           NetworkRow("V3-Large minimalistic", "209", "3.9", V3({.variant = V3Variant::kLargeMinimalistic})),
           NetworkRow("V3-Small minimalistic", "65", "2.0", V3({.variant = V3Variant::kSmallMinimalistic}),
                      "52.3; the list's V3-Small 1.0, of 66 M, is not Table 2's either")}};
}

}  // namespace

Paper PaperOfV3() {
  return {"v3",
          "Howard et al. 2019, \"Searching for MobileNetV3\", arXiv 1905.02244",
          "weights, biases, and the scales and shifts of batch norms",
          {Architecture(1, "Specification for MobileNetV3-Large", V3(), kLarge),
           Architecture(2, "Specification for MobileNetV3-Small", V3({.variant = V3Variant::kSmall}), kSmall),
           OnImagenet()}};
}

}  // namespace mobilenet
