// Howard et al. 2017.
#include <array>
#include <utility>

#include "base/fail.h"
#include "mobilenet/cost.h"
#include "network/kinds.h"
#include "network/paper_cells.h"

namespace mobilenet {
namespace {

// "Conv dw / s1" and the filter's shape, as Table 1 writes them.
std::pair<std::string, std::string> Describe(const Layer& layer) {
  const int in = layer.input.channels;
  const int out = layer.output.channels;
  const std::string stride = Concat(" / s", layer.stride.down);
  if (layer.kind == LayerKind::kGlobalAveragePool)
    return {"Avg Pool / s1", Concat("Pool ", layer.input.height, " x ", layer.input.width)};
  if (layer.kind == LayerKind::kFullyConnected) return {"FC" + stride, Concat(in, " x ", out)};
  if (layer.kind == LayerKind::kDepthwise) return {"Conv dw" + stride, Concat("3 x 3 x ", in, " dw")};
  const std::string window = Concat(layer.kernel, " x ", layer.kernel, " x ");
  return {"Conv" + stride, Concat(window, in, " x ", out)};
}

struct BodyRow {
  const char* type;
  const char* filter;
  const char* input;
};

// The paper's Table 1 down to the fully connected layer, with its "5 x" written out.
std::vector<BodyRow> PrintedBody() {
  std::vector<BodyRow> rows = {{"Conv / s2", "3 x 3 x 3 x 32", "224 x 224 x 3"},
                               {"Conv dw / s1", "3 x 3 x 32 dw", "112 x 112 x 32"},
                               {"Conv / s1", "1 x 1 x 32 x 64", "112 x 112 x 32"},
                               {"Conv dw / s2", "3 x 3 x 64 dw", "112 x 112 x 64"},
                               {"Conv / s1", "1 x 1 x 64 x 128", "56 x 56 x 64"},
                               {"Conv dw / s1", "3 x 3 x 128 dw", "56 x 56 x 128"},
                               {"Conv / s1", "1 x 1 x 128 x 128", "56 x 56 x 128"},
                               {"Conv dw / s2", "3 x 3 x 128 dw", "56 x 56 x 128"},
                               {"Conv / s1", "1 x 1 x 128 x 256", "28 x 28 x 128"},
                               {"Conv dw / s1", "3 x 3 x 256 dw", "28 x 28 x 256"},
                               {"Conv / s1", "1 x 1 x 256 x 256", "28 x 28 x 256"},
                               {"Conv dw / s2", "3 x 3 x 256 dw", "28 x 28 x 256"},
                               {"Conv / s1", "1 x 1 x 256 x 512", "14 x 14 x 256"}};
  for (int i = 0; i < 5; ++i) {
    rows.push_back({"Conv dw / s1", "3 x 3 x 512 dw", "14 x 14 x 512"});
    rows.push_back({"Conv / s1", "1 x 1 x 512 x 512", "14 x 14 x 512"});
  }
  rows.push_back({"Conv dw / s2", "3 x 3 x 512 dw", "14 x 14 x 512"});
  rows.push_back({"Conv / s1", "1 x 1 x 512 x 1024", "7 x 7 x 512"});
  rows.push_back({"Conv dw / s2", "3 x 3 x 1024 dw", "7 x 7 x 1024"});
  rows.push_back({"Conv / s1", "1 x 1 x 1024 x 1024", "7 x 7 x 1024"});
  rows.push_back({"Avg Pool / s1", "Pool 7 x 7", "7 x 7 x 1024"});
  rows.push_back({"FC / s1", "1024 x 1000", "1 x 1 x 1024"});
  return rows;
}

PaperTable LayerTable() {
  PaperTable table{1, "MobileNet body architecture", {"type / stride", "filter shape", "input size"}, {}};
  const Network network = V1();
  const std::vector<BodyRow> printed = PrintedBody();
  for (std::size_t i = 0; i < printed.size(); ++i) {
    const Layer& layer = network.layers[i];
    const auto [type, filter] = Describe(layer);
    const std::string note =
        type == printed[i].type ? "" : "its output is 7 x 7 in the next row, which stride 1 gives";
    table.rows.push_back({layer.name,
                          {{printed[i].type, type, note},
                           {printed[i].filter, filter, ""},
                           {printed[i].input, Size(layer.input), ""}}});
  }
  return table;
}

PaperTable LayerTypes() {
  struct Kind {
    LayerKind kind;
    const char* name;
    const char* macs;
    const char* params;
  };
  constexpr std::array<Kind, 4> kKinds = {{{LayerKind::kPointwise, "Conv 1 x 1", "94.86", "74.59"},
                                           {LayerKind::kDepthwise, "Conv DW 3 x 3", "3.06", "1.06"},
                                           {LayerKind::kConvolution, "Conv 3 x 3", "1.19", "0.02"},
                                           {LayerKind::kFullyConnected, "Fully Connected", "0.18", "24.33"}}};
  PaperTable table{2, "Resource per layer type", {"mult-adds, %", "parameters, %"}, {}};
  const Network network = V1();
  const Cost cost = CostOf(network);
  const std::int64_t all_weights = WeightsOf(network);
  for (const Kind& kind : kKinds) {
    std::int64_t macs = 0;
    std::int64_t weights = 0;
    for (std::size_t i = 0; i < network.layers.size(); ++i) {
      if (network.layers[i].kind != kind.kind) continue;
      macs += cost.layers[i].macs;
      weights += WeightsOf(network.layers[i]);
    }
    const std::string note = kind.kind == LayerKind::kConvolution
                                 ? "digits changed places: only 1.91 makes the column add up to 100"
                                 : "";
    table.rows.push_back(
        {kind.name,
         {Number(kind.macs, 100.0 * static_cast<double>(macs) / static_cast<double>(cost.macs), note),
          Number(kind.params, 100.0 * static_cast<double>(weights) / static_cast<double>(all_weights))}});
  }
  return table;
}

// One layer of 3 x 3, 512 channels in and out, on a 14 x 14 map, under each modification.
PaperTable Modifications() {
  const auto layer = [](LayerKind kind, int kernel, int channels, int side) {
    Layer l;
    l.kind = kind;
    l.kernel = kernel;
    const int around = kernel / 2;
    l.padding = {around, around, around, around};
    l.input = l.output = {side, side, channels};
    return l;
  };
  const auto count = [](const std::vector<Layer>& layers) {
    Network network;
    network.input = layers.front().input;
    network.layers = layers;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      network.layers[i].name = std::to_string(i);
      network.layers[i].inputs = {static_cast<int>(i) - 1};
    }
    return CostOf(network);
  };
  const auto separable = [&](int channels, int side) {
    return count(
        {layer(LayerKind::kDepthwise, 3, channels, side), layer(LayerKind::kPointwise, 1, channels, side)});
  };
  PaperTable table{
      3, "Resource usage for modifications to standard convolution", {"mult-adds, M", "parameters, M"}, {}};
  const auto add = [&](const char* name, const char* macs, const char* params, const Cost& cost) {
    table.rows.push_back({name, {Number(macs, Millions(cost.macs)), Number(params, Millions(cost.params))}});
  };
  add("Convolution", "462", "2.36", count({layer(LayerKind::kConvolution, 3, 512, 14)}));
  add("Depthwise separable", "52.3", "0.27", separable(512, 14));
  add("alpha = 0.75", "29.6", "0.15", separable(384, 14));
  add("rho = 0.714", "15.1", "0.15", separable(384, 10));
  return table;
}

struct NetworkCount {
  double macs = 0;  // both in millions
  double weights = 0;
};

NetworkCount CountOf(const V1Options& options) {
  const Network network = V1(options);
  return {Millions(CostOf(network).macs), Millions(WeightsOf(network))};
}

// Without the last layer, the classifier: for tasks whose outputs the paper doesn't describe.
NetworkCount CountOfBody(const V1Options& options) {
  const Network network = V1(options);
  const Cost cost = CostOf(network);
  return {Millions(cost.macs - cost.layers.back().macs),
          Millions(WeightsOf(network) - WeightsOf(network.layers.back()))};
}

PaperRow CountRow(const char* name, const char* macs, const char* params, const NetworkCount& count,
                  std::string macs_note = "") {
  return {name, {Number(macs, count.macs, std::move(macs_note)), Number(params, count.weights)}};
}

PaperRow NetworkRow(const char* name, const char* macs, const char* params, const V1Options& options,
                    std::string macs_note = "") {
  return CountRow(name, macs, params, CountOf(options), std::move(macs_note));
}

PaperTable SeparableAgainstFull() {
  return {4,
          "Depthwise separable against full convolution MobileNet",
          NetworkColumns(),
          {NetworkRow("Conv MobileNet", "4866", "29.3", {.separable = false},
                      "4866 leaves out the classifier's 1.02 M, which the row below counts"),
           NetworkRow("MobileNet", "569", "4.2", {})}};
}

PaperTable NarrowAgainstShallow() {
  return {5,
          "Narrow against shallow MobileNet",
          NetworkColumns(),
          {NetworkRow("0.75 MobileNet", "325", "2.6", {.alpha = 0.75}),
           NetworkRow("Shallow MobileNet", "307", "2.9", {.shallow = true})}};
}

PaperTable WidthMultiplier() {
  return {6,
          "Width multiplier",
          NetworkColumns(),
          {NetworkRow("1.0 MobileNet-224", "569", "4.2", {}),
           NetworkRow("0.75 MobileNet-224", "325", "2.6", {.alpha = 0.75}),
           NetworkRow("0.5 MobileNet-224", "149", "1.3", {.alpha = 0.5}),
           NetworkRow("0.25 MobileNet-224", "41", "0.5", {.alpha = 0.25})}};
}

PaperTable ResolutionMultiplier() {
  return {7,
          "Resolution",
          NetworkColumns(),
          {NetworkRow("1.0 MobileNet-224", "569", "4.2", {}),
           NetworkRow("1.0 MobileNet-192", "418", "4.2", {.resolution = 192}),
           NetworkRow("1.0 MobileNet-160", "290", "4.2", {.resolution = 160},
                      "290.68 cut off rather than rounded, or without the classifier; the authors' own list "
                      "of checkpoints has 291"),
           NetworkRow("1.0 MobileNet-128", "186", "4.2", {.resolution = 128})}};
}

PaperTable AgainstPopularModels() {
  return {8,
          "MobileNet against popular models",
          NetworkColumns(),
          {NetworkRow("1.0 MobileNet-224", "569", "4.2", {})}};
}

PaperTable SmallerAgainstPopularModels() {
  return {9,
          "A smaller MobileNet against popular models",
          NetworkColumns(),
          {NetworkRow("0.50 MobileNet-160", "76", "1.32", {.alpha = 0.5, .resolution = 160},
                      "76.52 cut off rather than rounded, or without the classifier, which leaves 76.01")}};
}

PaperTable StanfordDogs() {
  constexpr int kBreeds = 120;
  return {10,
          "MobileNet for Stanford Dogs, 120 classes",
          NetworkColumns(),
          {NetworkRow("1.0 MobileNet-224", "569", "3.3", {.classes = kBreeds},
                      "569 is the network for 1000 classes, as in Table 6; with 120 it is 567.84"),
           NetworkRow("0.75 MobileNet-224", "325", "1.9", {.alpha = 0.75, .classes = kBreeds}),
           NetworkRow("1.0 MobileNet-192", "418", "3.3", {.resolution = 192, .classes = kBreeds},
                      "418 is the network for 1000 classes, as in Table 7; with 120 it is 417.22"),
           NetworkRow("0.75 MobileNet-192", "239", "1.9",
                      {.alpha = 0.75, .resolution = 192, .classes = kBreeds})}};
}

PaperTable FaceAttributes() {
  const auto row = [](const char* name, const char* macs, const char* params, const V1Options& options,
                      std::string macs_note = "") {
    return CountRow(name, macs, params, CountOfBody(options), std::move(macs_note));
  };
  return {12,
          "Face attributes, counted without the classifier, whose size the paper doesn't give",
          NetworkColumns(),
          {row("1.0 MobileNet-224", "568", "3.2", {}), row("0.5 MobileNet-224", "149", "0.8", {.alpha = 0.5}),
           row("0.25 MobileNet-224", "45", "0.2", {.alpha = 0.25},
               "Table 6 has 41, with a classifier; it would be 45.99 if no layer had fewer than 16 channels"),
           row("1.0 MobileNet-128", "185", "3.2", {.resolution = 128}),
           row("0.5 MobileNet-128", "48", "0.8", {.alpha = 0.5, .resolution = 128},
               "48.65 cut off rather than rounded"),
           row("0.25 MobileNet-128", "15", "0.2", {.alpha = 0.25, .resolution = 128},
               "it would be 15.02 if no layer had fewer than 16 channels")}};
}

PaperTable FaceEmbeddings() {
  const auto row = [](const char* name, const char* macs, const V1Options& options,
                      std::string note = "") -> PaperRow {
    return {name, {Number(macs, CountOfBody(options).macs, std::move(note))}};
  };
  return {14,
          "MobileNet distilled from FaceNet, counted without the embedding, which the paper doesn't describe",
          {"mult-adds, M"},
          {row("1.0 MobileNet-160", "286", {.resolution = 160},
               "less than the 289.65 that the layers before the embedding take"),
           row("1.0 MobileNet-128", "185", {.resolution = 128}),
           row("0.75 MobileNet-128", "166", {.alpha = 0.75, .resolution = 128},
               "the paper gives two rows this name; 160 x 160 would take 165.63"),
           row("0.75 MobileNet-128", "108", {.alpha = 0.75, .resolution = 128},
               "the layers before the embedding take 106.00; the rest may be the embedding")}};
}

}  // namespace

Paper PaperOfV1() {
  return {"v1",
          "Howard et al. 2017, \"MobileNets: Efficient Convolutional Neural Networks for Mobile Vision "
          "Applications\", arXiv 1704.04861",
          kWeightsAlone,
          {LayerTable(), LayerTypes(), Modifications(), SeparableAgainstFull(), NarrowAgainstShallow(),
           WidthMultiplier(), ResolutionMultiplier(), AgainstPopularModels(), SmallerAgainstPopularModels(),
           StanfordDogs(), FaceAttributes(), FaceEmbeddings()}};
}

}  // namespace mobilenet
