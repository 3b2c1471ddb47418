// Qin et al. 2024.
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
  const char* block;
  int k1;  // the kernel of the depthwise layer before the expansion
  int k2;  // of the one behind it; of a fused block and of a layer, its own
  int expanded;
  int output;
  int stride;
};

// Table 11, as printed.
constexpr std::array<Row, 19> kConvS = {{{224, 3, "Conv2D", 0, 3, 0, 32, 2},
                                         {112, 32, "FusedIB", 0, 3, 32, 32, 2},
                                         {56, 32, "FusedIB", 0, 3, 96, 64, 2},
                                         {28, 64, "ExtraDW", 5, 5, 192, 96, 2},
                                         {14, 96, "IB", 0, 3, 192, 96, 1},
                                         {14, 96, "IB", 0, 3, 192, 96, 1},
                                         {14, 96, "IB", 0, 3, 192, 96, 1},
                                         {14, 96, "IB", 0, 3, 192, 96, 1},
                                         {14, 96, "ConvNext", 3, 0, 384, 96, 1},
                                         {14, 96, "ExtraDW", 3, 3, 576, 128, 2},
                                         {7, 128, "ExtraDW", 5, 5, 512, 128, 1},
                                         {7, 128, "IB", 0, 5, 512, 128, 1},
                                         {7, 128, "IB", 0, 5, 384, 128, 1},
                                         {7, 128, "IB", 0, 3, 512, 128, 1},
                                         {7, 128, "IB", 0, 3, 512, 128, 1},
                                         {7, 128, "Conv2D", 0, 1, 0, 960, 1},
                                         {7, 960, "AvgPool", 0, 7, 0, 960, 1},
                                         {1, 960, "Conv2D", 0, 1, 0, 1280, 1},
                                         {1, 1280, "Conv2D", 0, 1, 0, 1000, 1}}};
// Table 12.
constexpr std::array<Row, 27> kConvM = {
    {{256, 3, "Conv2D", 0, 3, 0, 32, 2},      {128, 32, "FusedIB", 0, 3, 128, 48, 2},
     {64, 48, "ExtraDW", 3, 5, 192, 80, 2},   {32, 80, "ExtraDW", 3, 3, 160, 80, 1},
     {32, 80, "ExtraDW", 3, 5, 480, 160, 2},  {16, 160, "ExtraDW", 3, 3, 640, 160, 1},
     {16, 160, "ExtraDW", 3, 3, 640, 160, 1}, {16, 160, "ExtraDW", 3, 5, 640, 160, 1},
     {16, 160, "ExtraDW", 3, 3, 640, 160, 1}, {16, 160, "ConvNext", 3, 0, 640, 160, 1},
     {16, 160, "FFN", 0, 0, 320, 160, 1},     {16, 160, "ConvNext", 3, 0, 640, 160, 1},
     {16, 160, "ExtraDW", 5, 5, 960, 256, 2}, {8, 256, "ExtraDW", 5, 5, 1024, 256, 1},
     {8, 256, "ExtraDW", 3, 5, 1024, 256, 1}, {8, 256, "ExtraDW", 3, 5, 1024, 256, 1},
     {8, 256, "FFN", 0, 0, 1024, 256, 1},     {8, 256, "ConvNext", 3, 0, 1024, 256, 1},
     {8, 256, "ExtraDW", 3, 5, 512, 256, 1},  {8, 256, "ExtraDW", 5, 5, 1024, 256, 1},
     {8, 256, "FFN", 0, 0, 1024, 256, 1},     {8, 256, "FFN", 0, 0, 1024, 256, 1},
     {8, 256, "ConvNext", 5, 0, 512, 256, 1}, {8, 256, "Conv2D", 0, 1, 0, 960, 1},
     {8, 960, "AvgPool", 0, 8, 0, 960, 1},    {1, 960, "Conv2D", 0, 1, 0, 1280, 1},
     {1, 1280, "Conv2D", 0, 1, 0, 1000, 1}}};
// Table 14.
constexpr std::array<Row, 32> kConvL = {
    {{384, 3, "Conv2D", 0, 3, 0, 24, 2},        {192, 24, "FusedIB", 0, 3, 96, 48, 2},
     {96, 48, "ExtraDW", 3, 5, 192, 96, 2},     {48, 96, "ExtraDW", 3, 3, 384, 96, 1},
     {48, 96, "ExtraDW", 3, 5, 384, 192, 2},    {24, 192, "ExtraDW", 3, 3, 768, 192, 1},
     {24, 192, "ExtraDW", 3, 3, 768, 192, 1},   {24, 192, "ExtraDW", 3, 3, 768, 192, 1},
     {24, 192, "ExtraDW", 3, 5, 768, 192, 1},   {24, 192, "ExtraDW", 5, 3, 768, 192, 1},
     {24, 192, "ExtraDW", 5, 3, 768, 192, 1},   {24, 192, "ExtraDW", 5, 3, 768, 192, 1},
     {24, 192, "ExtraDW", 5, 3, 768, 192, 1},   {24, 192, "ExtraDW", 5, 3, 768, 192, 1},
     {24, 192, "ConvNext", 3, 0, 768, 192, 1},  {24, 192, "ExtraDW", 5, 5, 768, 512, 2},
     {12, 512, "ExtraDW", 5, 5, 2048, 512, 1},  {12, 512, "ExtraDW", 5, 5, 2048, 512, 1},
     {12, 512, "ExtraDW", 5, 5, 2048, 512, 1},  {12, 512, "ConvNext", 5, 0, 2048, 512, 1},
     {12, 512, "ExtraDW", 5, 3, 2048, 512, 1},  {12, 512, "ConvNext", 5, 0, 2048, 512, 1},
     {12, 512, "ConvNext", 5, 0, 2048, 512, 1}, {12, 512, "ExtraDW", 5, 3, 2048, 512, 1},
     {12, 512, "ExtraDW", 5, 5, 2048, 512, 1},  {12, 512, "ConvNext", 5, 0, 2048, 512, 1},
     {12, 512, "ConvNext", 5, 0, 2048, 512, 1}, {12, 512, "ConvNext", 5, 0, 2048, 512, 1},
     {12, 512, "Conv2D", 0, 1, 0, 960, 1},      {12, 960, "AvgPool", 0, 12, 0, 960, 1},
     {1, 960, "Conv2D", 0, 1, 0, 1280, 1},      {1, 1280, "Conv2D", 0, 1, 0, 1000, 1}}};

Row RowOf(const Layer& layer) {
  const bool average = layer.kind == LayerKind::kGlobalAveragePool;
  return {layer.input.height,
          layer.input.channels,
          average ? "AvgPool" : "Conv2D",
          0,
          average ? layer.input.height : layer.kernel,
          0,
          layer.output.channels,
          layer.stride.down};
}

const char* NameOfUniversal(const Row& row) {
  if (row.k1 > 0) return row.k2 > 0 ? "ExtraDW" : "ConvNext";
  return row.k2 > 0 ? "IB" : "FFN";
}

Row RowOf(Part part) {
  const Layer& first = part.front();
  if (part.size() == 1) return RowOf(first);
  Row row = {first.input.height, first.input.channels, "", 0, 0, 0, part.back().output.channels, 1};
  for (const Layer& layer : part) {
    row.stride *= layer.stride.down;
    const bool window = layer.kind == LayerKind::kConvolution || layer.kind == LayerKind::kDepthwise;
    if (window) (row.expanded == 0 && layer.kind == LayerKind::kDepthwise ? row.k1 : row.k2) = layer.kernel;
    const bool mixes = layer.kind == LayerKind::kConvolution || layer.kind == LayerKind::kPointwise;
    if (mixes && row.expanded == 0) row.expanded = layer.output.channels;
  }
  row.block = first.kind == LayerKind::kConvolution ? "FusedIB" : NameOfUniversal(row);
  return row;
}

std::string OrDash(int number) { return number == 0 ? "-" : std::to_string(number); }

std::string Window(int side) { return side == 0 ? "-" : Concat(side, " x ", side); }

std::vector<std::string> TextsOf(const Row& row) {
  return {Size({row.side, row.side, row.channels}),
          row.block,
          Window(row.k1),
          Window(row.k2),
          OrDash(row.expanded),
          OrDash(row.output),
          OrDash(row.stride)};
}

PaperTable Architecture(int number, const char* title, const Network& network, std::span<const Row> printed) {
  PaperTable table{number, title, {"input", "block", "DW K1", "DW K2", "expanded", "output", "stride"}, {}};
  const std::vector<Part> parts = PartsOf(network);
  for (std::size_t i = 0; i < printed.size(); ++i) {
    const std::vector<std::string> paper = TextsOf(printed[i]);
    const std::vector<std::string> ours = TextsOf(RowOf(parts.at(i)));
    PaperRow& row = table.rows.emplace_back(PaperRow{Concat("row ", i + 1), {}});
    for (std::size_t c = 0; c < paper.size(); ++c) row.cells.push_back({paper[c], ours[c], ""});
  }
  return table;
}

PaperRow NetworkRow(const char* name, const char* params, const char* macs, const Network& network,
                    std::string params_note = "", std::string macs_note = "") {
  const Cost cost = CostOf(network);
  return {name,
          {Number(params, Millions(cost.params), std::move(params_note)),
           Number(macs, 1e-3 * Millions(cost.macs), std::move(macs_note))}};
}

PaperTable OnImagenet() {
  const Network medium = V4({.variant = V4Variant::kConvMedium, .resolution = 256});
  const Network large = V4({.variant = V4Variant::kConvLarge, .resolution = 384});
  return {6,
          "Classification of ImageNet-1K",
          {"parameters, M", "mult-adds, G"},
          {NetworkRow("MobileNet-V2-0.5x", "2.0", "0.1", V2({.alpha = 0.5})),
           NetworkRow("MobileNet-V2", "3.5", "0.3", V2()), NetworkRow("MNv4-Conv-S", "3.8", "0.2", V4()),
           NetworkRow("MobileNet-V1", "4.2", "0.6", V1()),
           NetworkRow("MNv4-Conv-M", "9.2", "1.0", medium,
                      "Table 12's network has 9.72, as timm's has; we know none of 9.2",
                      "Table 12's network takes 1.08 at 256 x 256"),
           NetworkRow("MNv4-Conv-L", "31", "5.9", large,
                      "Table 14's network has 32.6, as timm's has; we know none of 31",
                      "Table 14's network takes 6.37 at 384 x 384")}};
}

}  // namespace

Paper PaperOfV4() {
  const Network medium = V4({.variant = V4Variant::kConvMedium, .resolution = 256});
  const Network large = V4({.variant = V4Variant::kConvLarge, .resolution = 384});
  return {"v4",
          "Qin et al. 2024, \"MobileNetV4: Universal Models for the Mobile Ecosystem\", arXiv 2404.10518",
          "weights, biases, and the scales and shifts of batch norms",
          {OnImagenet(), Architecture(11, "MNv4-Conv-S", V4(), kConvS),
           Architecture(12, "MNv4-Conv-M", medium, kConvM), Architecture(14, "MNv4-Conv-L", large, kConvL)}};
}

}  // namespace mobilenet
