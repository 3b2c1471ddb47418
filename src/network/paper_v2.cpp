// Sandler et al. 2018.
#include <array>
#include <utility>

#include "base/fail.h"
#include "mobilenet/cost.h"
#include "network/paper_cells.h"

namespace mobilenet {
namespace {

// A row of Table 2: equal blocks, or a layer that is in none. Letters as there: the expansion t, the channels
// c, the number of blocks n, the stride s of the first.
struct Run {
  Shape input;
  std::string kind;
  int t;
  int c;
  int n;
  int s;
};

// The blocks of a network one after the other, those that look alike together.
std::vector<Run> RunsOf(const Network& network) {
  std::vector<Run> runs;
  std::string block;
  for (const Layer& layer : network.layers) {
    const std::string name = layer.name.substr(0, layer.name.find('.'));
    const bool in_block = name != layer.name;
    if (!in_block) {
      runs.push_back(
          {layer.input, std::string(NameOf(layer.kind)), 0, layer.output.channels, 1, layer.stride.down});
      continue;
    }
    if (name != block) {  // its first layer
      runs.push_back({layer.input, "bottleneck", 1, 0, 1, 1});
      block = name;
    }
    Run& run = runs.back();
    if (layer.kind == LayerKind::kDepthwise) {
      run.t = layer.input.channels / run.input.channels;
      run.s = layer.stride.down;
    }
    run.c = layer.output.channels;
    if (layer.kind != LayerKind::kPointwise || layer.activation != Activation::kNone) continue;
    // The projection: the block is told from the one before it by now.
    if (runs.size() < 2) continue;
    Run& before = runs[runs.size() - 2];
    if (before.kind == run.kind && before.t == run.t && before.c == run.c && run.s == 1) {
      ++before.n;
      runs.pop_back();
    }
  }
  return runs;
}

struct PrintedRun {
  const char* input;
  const char* kind;
  const char* t;
  const char* c;
  const char* n;
  const char* s;
};

// As printed, with our names for its operators: conv2d 1x1 is a pointwise layer, and the last one the fully
// connected layer.
constexpr std::array<PrintedRun, 11> kTable2 = {{{"224 x 224 x 3", "convolution", "-", "32", "1", "2"},
                                                 {"112 x 112 x 32", "bottleneck", "1", "16", "1", "1"},
                                                 {"112 x 112 x 16", "bottleneck", "6", "24", "2", "2"},
                                                 {"56 x 56 x 24", "bottleneck", "6", "32", "3", "2"},
                                                 {"28 x 28 x 32", "bottleneck", "6", "64", "4", "2"},
                                                 {"14 x 14 x 64", "bottleneck", "6", "96", "3", "1"},
                                                 {"14 x 14 x 96", "bottleneck", "6", "160", "3", "2"},
                                                 {"7 x 7 x 160", "bottleneck", "6", "320", "1", "1"},
                                                 {"7 x 7 x 320", "pointwise", "-", "1280", "1", "1"},
                                                 {"7 x 7 x 1280", "global average pool", "-", "-", "1", "-"},
                                                 {"1 x 1 x 1280", "fully connected", "-", "k", "-", "-"}}};

PaperTable Architecture() {
  PaperTable table{2, "MobileNetV2", {"input", "operator", "t", "c", "n", "s"}, {}};
  const std::vector<Run> runs = RunsOf(V2());
  for (std::size_t i = 0; i < kTable2.size(); ++i) {
    const Run& run = runs.at(i);
    const PrintedRun& printed = kTable2[i];
    // What the paper leaves open, we leave open.
    const auto cell = [](const char* paper, int ours) {
      const bool open = std::string_view(paper) == "-" || std::string_view(paper) == "k";
      return PaperCell{paper, open ? paper : std::to_string(ours), ""};
    };
    table.rows.push_back({Concat("row ", i + 1),
                          {{printed.input, Size(run.input), ""},
                           {printed.kind, run.kind, ""},
                           cell(printed.t, run.t),
                           cell(printed.c, run.c),
                           cell(printed.n, run.n),
                           cell(printed.s, run.s)}});
  }
  return table;
}

PaperRow NetworkRow(const char* name, const char* macs, const char* params, const Network& network,
                    std::string macs_note, std::string params_note) {
  return {name,
          {Number(macs, Millions(CostOf(network).macs), std::move(macs_note)),
           Number(params, Millions(WeightsOf(network)), std::move(params_note))}};
}

PaperTable OnImagenet() {
  return {
      4,
      "Performance on ImageNet",
      NetworkColumns(),
      {NetworkRow("MobileNetV1", "575", "4.2", V1(), "its own paper has 569, which is what we count", ""),
       NetworkRow("MobileNetV2", "300", "3.4", V2(),
                  "300.77 cut off rather than rounded; without the classifier it is 299.49",
                  "3.47 cut off rather than rounded; 3.50 with biases and batch norms"),
       NetworkRow("MobileNetV2 (1.4)", "585", "6.9", V2({.alpha = 1.4}),
                  "the authors' list of checkpoints has 582, which is what we count",
                  "the authors' list of checkpoints has 6.06, which is what we count; we know no network of "
                  "6.9")}};
}

}  // namespace

Paper PaperOfV2() {
  return {"v2",
          "Sandler et al. 2018, \"MobileNetV2: Inverted Residuals and Linear Bottlenecks\", arXiv 1801.04381",
          kWeightsAlone,
          {Architecture(), OnImagenet()}};
}

}  // namespace mobilenet
