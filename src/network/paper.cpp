#include "mobilenet/paper.h"

#include <array>
#include <cstdio>
#include <utility>

#include "base/fail.h"
#include "mobilenet/cost.h"

namespace mobilenet {
namespace {

std::string Rounded(double value, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

PaperCell Number(std::string paper, double ours, std::string note = "") {
  const auto point = paper.find('.');
  const int digits = point == std::string::npos ? 0 : static_cast<int>(paper.size() - point - 1);
  return {std::move(paper), Rounded(ours, digits), std::move(note)};
}

double Millions(std::int64_t count) { return static_cast<double>(count) * 1e-6; }

// Weights alone, without biases and batch norms: what the paper's Tables 2 and 3 count.
std::int64_t WeightsOf(const Layer& layer) {
  for (const Parameter& parameter : ParametersOf(layer)) {
    if (parameter.name.ends_with(".weight")) return parameter.size();
  }
  return 0;
}

std::string Size(const Shape& shape) {
  return Concat(shape.height, " x ", shape.width, " x ", shape.channels);
}

// "Conv dw / s1" and the filter's shape, as Table 1 writes them.
std::pair<std::string, std::string> Describe(const Layer& layer) {
  const int in = layer.input.channels;
  const int out = layer.output.channels;
  const std::string stride = Concat(" / s", layer.stride);
  switch (layer.kind) {
    case LayerKind::kConvolution:
      return {"Conv" + stride, Concat("3 x 3 x ", in, " x ", out)};
    case LayerKind::kDepthwise:
      return {"Conv dw" + stride, Concat("3 x 3 x ", in, " dw")};
    case LayerKind::kPointwise:
      return {"Conv" + stride, Concat("1 x 1 x ", in, " x ", out)};
    case LayerKind::kGlobalAveragePool:
      return {"Avg Pool / s1", Concat("Pool ", layer.input.height, " x ", layer.input.width)};
    case LayerKind::kFullyConnected:
      return {"FC" + stride, Concat(in, " x ", out)};
  }
  return {};
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

PaperTable Body() {
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
  std::int64_t all_weights = 0;
  for (const Layer& layer : network.layers) all_weights += WeightsOf(layer);
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
    l.input = l.output = {side, side, channels};
    return l;
  };
  const auto count = [](const std::vector<Layer>& layers) {
    Network network;
    network.layers = layers;
    for (std::size_t i = 0; i < layers.size(); ++i) network.layers[i].inputs = {static_cast<int>(i) - 1};
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

PaperRow NetworkRow(const char* name, const char* macs, const char* params, const NetworkOptions& options,
                    std::string macs_note = "") {
  const Cost cost = CostOf(V1(options));
  return {name,
          {Number(macs, Millions(cost.macs), std::move(macs_note)), Number(params, Millions(cost.params))}};
}

}  // namespace

std::vector<PaperTable> ReproducePaper() {
  const std::vector<std::string> columns = {"mult-adds, M", "parameters, M"};
  return {
      Body(),
      LayerTypes(),
      Modifications(),
      {4,
       "Depthwise separable against full convolution MobileNet",
       columns,
       {NetworkRow("Conv MobileNet", "4866", "29.3", {.separable = false},
                   "4866 leaves out the classifier's 1.02 M, which the row below counts"),
        NetworkRow("MobileNet", "569", "4.2", {})}},
      {5,
       "Narrow against shallow MobileNet",
       columns,
       {NetworkRow("0.75 MobileNet", "325", "2.6", {.alpha = 0.75}),
        NetworkRow("Shallow MobileNet", "307", "2.9", {.shallow = true})}},
      {6,
       "Width multiplier",
       columns,
       {NetworkRow("1.0 MobileNet-224", "569", "4.2", {}),
        NetworkRow("0.75 MobileNet-224", "325", "2.6", {.alpha = 0.75}),
        NetworkRow("0.5 MobileNet-224", "149", "1.3", {.alpha = 0.5}),
        NetworkRow("0.25 MobileNet-224", "41", "0.5", {.alpha = 0.25})}},
      {7,
       "Resolution",
       columns,
       {NetworkRow("1.0 MobileNet-224", "569", "4.2", {}),
        NetworkRow("1.0 MobileNet-192", "418", "4.2", {.resolution = 192}),
        NetworkRow("1.0 MobileNet-160", "290", "4.2", {.resolution = 160},
                   "290.68 cut off rather than rounded, or without the classifier; the authors' own list of "
                   "checkpoints has 291"),
        NetworkRow("1.0 MobileNet-128", "186", "4.2", {.resolution = 128})}}};
}

}  // namespace mobilenet
