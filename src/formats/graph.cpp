#include "formats/graph.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/fail.h"
#include "formats/fold_graph.h"
#include "formats/infer_preprocessing.h"
#include "formats/json.h"
#include "formats/recognise.h"

namespace mobilenet {
namespace {

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
  network.recipe = FindRecipe(network, padding);
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

void SetPreprocessing(const Graph& graph, const FoldedGraph& folded, Model& model) {
  std::string& note = model.provenance["preprocessing"];
  if (folded.rescale) {
    model.preprocessing = PreprocessingOf(*folded.rescale);
    if (note.empty()) note = "the file's own first layers";
    return;
  }
  const PreprocessingGuess guess = GuessPreprocessing(graph, folded, model.network);
  model.preprocessing = guess.preprocessing;
  note = Concat(NoteOf(guess), note.empty() ? "" : "; ", note);
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

Model ToModel(const Graph& graph) {
  FoldedGraph folded = FoldGraph(graph);
  Model model;
  model.network = std::move(folded.network);
  InContext(graph.file, [&] {
    NameLayers(graph, folded.padded_as_same ? PaddingStyle::kSame : PaddingStyle::kSymmetric, model.network);
    for (std::size_t i = 0; i < folded.weights.size(); ++i) {
      for (auto& [end, tensor] : folded.weights[i])
        model.weights[model.network.layers[i].name + end] = std::move(tensor);
    }
    CheckWeights(model.network, model.weights);
  });
  model.provenance = graph.provenance;
  model.provenance["imported from"] = graph.format;
  if (!graph.resolution) model.provenance["resolution"] = "not in the file; 224 was assumed";
  SetPreprocessing(graph, folded, model);
  return model;
}

}  // namespace mobilenet
