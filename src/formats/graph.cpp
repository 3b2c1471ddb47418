#include "formats/graph.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/fail.h"
#include "formats/fold_graph.h"
#include "formats/infer_preprocessing.h"
#include "formats/join_curves.h"
#include "formats/json.h"
#include "formats/pixel_scaling.h"
#include "formats/recognise.h"

namespace mobilenet {
namespace {

std::string TextOf(const Shape& map) { return Concat(map.height, " x ", map.width, " x ", map.channels); }

// Every layer needs a name of its own, of which a file can be made.
void MakeNamesUnique(Network& network) {
  std::set<std::string, std::less<>> names;
  std::size_t number = 0;
  for (Layer& layer : network.layers) {
    ++number;
    if (layer.name.empty() || !IsUtf8(layer.name)) layer.name = Concat("layer", number);
    while (!names.insert(layer.name).second) layer.name += Concat("_", number);
  }
}

void NameLayers(const Graph& graph, PaddingStyle padding, Network& network) {
  const bool told = graph.padding || !graph.resolution;
  network.recipe = FindRecipe(network, graph.padding.value_or(padding), told);
  if (graph.version && (!network.recipe || NameOf(*network.recipe) != *graph.version)) {
    Fail(graph.file, ": its layers' widths, from ", network.layers.front().output.channels, " to ",
         network.layers.back().input.channels, " channels, are those of MobileNet V",
         graph.version->substr(1), " under no alpha");
  }
  if (network.recipe) {
    network.layers = Build(*network.recipe).layers;
  } else {
    MakeNamesUnique(network);
  }
}

Preprocessing PreprocessingOf(const op::Rescale& rescale) {
  Preprocessing p = PreprocessingPreset("tensorflow");
  for (std::size_t c = 0; c < p.scale.size(); ++c) {
    p.scale[c] = static_cast<float>(rescale.scale[c]);
    p.mean[c] = static_cast<float>(-rescale.offset[c] / rescale.scale[c]);
  }
  return p;
}

// As if the file's input were RGB, which it turns around.
void SetOrder(Model& model) {
  model.preprocessing.order = ChannelOrder::kBgr;
  std::string& note = model.provenance["preprocessing"];
  note += "; the file's own first layers make BGR of RGB";
}

void SetNormalisation(const Graph& graph, const FoldedGraph& folded, Model& model) {
  std::string& note = model.provenance["preprocessing"];
  if (folded.rescale) {
    const bool changes =
        folded.rescale->scale != op::Rescale().scale || folded.rescale->offset != op::Rescale().offset;
    const PixelScaling scaling = changes ? ScalingOfPixels(*folded.rescale, folded.learned_rescale)
                                         : PixelScaling{*folded.rescale, ""};
    model.preprocessing = PreprocessingOf(scaling.rescale);
    if (note.empty()) note = scaling.assumed ? scaling.note : "the file's own first layers";
    return;
  }
  // Numbers that only this kind of file has are no candidates among others.
  if (graph.preprocessing && PresetName(*graph.preprocessing) == "custom") {
    model.preprocessing = *graph.preprocessing;
    return;
  }
  const PreprocessingGuess guess = GuessPreprocessing(graph, folded, model.network);
  model.preprocessing = guess.preprocessing;
  note = Concat(NoteOf(guess), note.empty() ? "" : "; ", note);
}

void SetPreprocessing(const Graph& graph, const FoldedGraph& folded, Model& model) {
  SetNormalisation(graph, folded, model);
  if (folded.reversed) SetOrder(model);
}

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    if (lines.back().ends_with('\r')) lines.back().pop_back();
    begin = end + 1;
  }
  return lines;
}

// How many lines LinesOf makes.
std::size_t CountLines(const std::string& text) {
  const auto ends = static_cast<std::size_t>(std::ranges::count(text, '\n'));
  return text.empty() || text.ends_with('\n') ? ends : ends + 1;
}

void SetLabels(const Graph& graph, Model& model) {
  const auto classes = static_cast<std::size_t>(model.classes());
  for (const TextFile& file : graph.texts) {
    if (classes == 0 || CountLines(file.text) != classes || !IsUtf8(file.text)) continue;
    model.labels = LinesOf(file.text);
    model.provenance["labels"] = Concat("from ", IsUtf8(file.name) ? file.name : "a text", " in the file");
    return;
  }
}

// One output without an activation is trained as the logit of one of two classes; many, as a softmax's.
void SetAnswers(const FoldedGraph& folded, Model& model) {
  const bool one = model.network.classes() == 1;
  model.answers = folded.answers.value_or(one ? Answers::kSigmoid : Answers::kSoftmax);
  if (one && !folded.answers)
    model.provenance["answers"] =
        "assumed: one output without an activation, taken for the logit of the second of two classes";
}

}  // namespace

int Graph::Append(Node node) {
  if (node.inputs.empty()) node.inputs = {output};
  nodes.push_back(std::move(node));
  output = static_cast<int>(nodes.size()) - 1;
  return output;
}

void BadNode(const Graph& graph, const Node& node, std::string_view what) {
  Fail(graph.file, ": ", node.where, " ", what, node.type.empty() ? "" : " (" + node.type + ")");
}

Model ToModel(Graph graph) {
  JoinCurves(graph);
  FoldedGraph folded = FoldGraph(graph);
  Model model;
  model.network = std::move(folded.network);
  InContext(graph.file, [&] {
    NameLayers(graph, folded.padding, model.network);
    for (std::size_t i = 0; i < folded.weights.size(); ++i) {
      for (auto& [end, tensor] : folded.weights[i])
        model.weights[model.network.layers[i].name + end] = std::move(tensor);
    }
    CheckWeights(model.network, model.weights);
  });
  model.provenance = graph.provenance;
  model.provenance["imported from"] = graph.format;
  if (!graph.resolution) model.provenance["resolution"] = "not in the file; 224 was assumed";
  SetAnswers(folded, model);
  SetLabels(graph, model);
  if (folded.added_average)
    model.provenance["average"] =
        Concat("added: the file's network ends with a map of ", TextOf(model.network.layers.back().input));
  SetPreprocessing(graph, folded, model);
  return model;
}

}  // namespace mobilenet
