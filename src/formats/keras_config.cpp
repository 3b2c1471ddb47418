// The model_config of Keras files: a functional or sequential model, perhaps with models inside.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/fail.h"
#include "formats/json.h"
#include "formats/keras.h"
#include "formats/keras_layers.h"

namespace mobilenet {
namespace {

using nlohmann::json;

class ConfigReader {
 public:
  ConfigReader(std::string_view file, const KerasWeights& weights) : layers_(weights, graph_) {
    graph_.file = file;
    graph_.format = "Keras HDF5";
  }

  Graph Read(const json& root) {
    graph_.output = AddModel(root, "", kNetworkInput);
    return std::move(graph_);
  }

 private:
  // The layers of one model, by name, and the nodes that are their outputs.
  using Outputs = std::map<std::string, int, std::less<>>;

  [[nodiscard]] const json& LayersOf(const json& model) const {
    const json* layers = nullptr;
    if (model.is_object() && model.contains("config")) {
      const json& inner = model["config"];
      if (inner.is_array()) layers = &inner;  // Sequential in old files
      if (inner.is_object() && inner.contains("layers") && inner["layers"].is_array())
        layers = &inner["layers"];
    }
    if (layers == nullptr) Fail(graph_.file, ": its model_config is damaged: no list of layers in it");
    return *layers;
  }

  // Returns the node that is the model's output. Where no layer says what it reads, each reads the one
  // before.
  int AddModel(const json& model, const std::string& path, int input) {
    const json& layers = LayersOf(model);
    const auto says = [](const json& l) { return l.is_object() && !ReferencesOf(l).empty(); };
    const bool functional = std::ranges::any_of(layers, says);
    Outputs outputs;
    int last = input;
    for (const json& layer : layers) {
      if (!layer.is_object()) Fail(graph_.file, ": its model_config is damaged: a layer is ", Shown(layer));
      const std::string kind = TextOr(layer, "class_name", "");
      const json& config = layer.contains("config") ? layer["config"] : layer;
      KerasSpec spec = {kind,  TextOr(config, "name", TextOr(layer, "name", kind)), config, path, {last},
                        &layer};
      const bool is_input = kind == "InputLayer";
      if (is_input) {
        if (!outputs.empty()) layers_.Bad(spec, "is a second input, expected one, and that first");
        spec.inputs = {input};
      } else if (functional) {
        spec.inputs = InputsOf(spec, layer, outputs);
      }
      graph_.output = last = Add(spec, layer);
      if (!outputs.emplace(spec.name, last).second && functional)
        layers_.Bad(spec, "has the name of another layer");
    }
    return OutputOf(model, outputs, last);
  }

  static std::vector<json> ReferencesOf(const json& layer) {
    return layer.contains("inbound_nodes") ? KerasReferencesIn(layer["inbound_nodes"]) : std::vector<json>();
  }

  std::vector<int> InputsOf(const KerasSpec& spec, const json& layer, const Outputs& outputs) const {
    const json& calls = layer.contains("inbound_nodes") ? layer["inbound_nodes"] : json::array();
    if (calls.size() != 1) layers_.Bad(spec, "is used ", calls.size(), " times, expected once");
    std::vector<int> inputs;
    for (const json& reference : KerasReferencesIn(calls)) {
      const auto found = outputs.find(reference.at(0).get<std::string>());
      if (found == outputs.end())
        layers_.Bad(spec, "reads ", Shown(reference.at(0)), ", which is no layer before it");
      if (reference.at(1) != 0 || reference.at(2) != 0)
        layers_.Bad(spec, "reads ", Shown(reference), ", expected the first output of its only use");
      inputs.push_back(found->second);
    }
    if (inputs.empty()) layers_.Bad(spec, "reads no layer");
    return inputs;
  }

  int OutputOf(const json& model, const Outputs& outputs, int last) const {
    const json& config = model["config"];
    if (!config.is_object() || !config.contains("output_layers")) return last;
    const std::vector<json> references = KerasReferencesIn(config["output_layers"]);
    if (references.size() != 1) Fail(graph_.file, ": has ", references.size(), " outputs, expected one");
    const auto found = outputs.find(references[0].at(0).get<std::string>());
    if (found == outputs.end())
      Fail(graph_.file, ": its output is that of ", Shown(references[0].at(0)), ", which is no layer");
    return found->second;
  }

  // Returns the node that is the layer's output.
  int Add(const KerasSpec& spec, const json& layer) {
    try {
      if (spec.inputs == std::vector{kNetworkInput} && graph_.nodes.empty()) layers_.ReadInput(spec);
      if (spec.kind == "InputLayer") return spec.inputs[0];
      if (spec.kind == "Functional" || spec.kind == "Model" || spec.kind == "Sequential") {
        if (spec.inputs.size() != 1) layers_.Bad(spec, "reads ", spec.inputs.size(), " maps, expected one");
        // However deep models lie in each other, their weights lie below the outermost.
        return AddModel(layer, spec.model.empty() ? spec.name + "/" : spec.model, spec.inputs[0]);
      }
      layers_.Add(spec);
      return graph_.output;
    } catch (const json::exception& error) {
      Fail(graph_.file, ": the layer ", spec.name, "'s configuration is damaged: ", error.what());
    }
  }

  Graph graph_;
  KerasLayers layers_;
};

}  // namespace

Graph FromKerasConfig(std::string_view file, std::string_view config, const KerasWeights& weights) {
  return ConfigReader(file, weights).Read(ParseJson(config));
}

}  // namespace mobilenet
