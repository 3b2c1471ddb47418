// The layers of Keras's configurations, as nodes of a graph.
#pragma once

#include <array>
#include <initializer_list>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fail.h"
#include "formats/graph.h"
#include "formats/keras.h"
#include "formats/keras_weights.h"

namespace mobilenet {

// One layer, and what it reads.
struct KerasSpec {
  std::string kind;
  std::string name;
  const nlohmann::json& config;
  std::string model;  // "inner/" for one within the model "inner"
  std::vector<int> inputs;
  const nlohmann::json* layer = nullptr;  // all of what stands there: its configuration, and what it reads
};

// The layers that a list of inbound nodes or of outputs names: [name, 0, 0] in Keras 2, and the same as
// "keras_history" in Keras 3, however deep in lists.
std::vector<nlohmann::json> KerasReferencesIn(const nlohmann::json& value);

class KerasLayers {
 public:
  // Both must outlive this.
  KerasLayers(const KerasWeights& weights, Graph& graph) : weights_(weights), graph_(graph) {}

  // Appends what the layer does. Throws Error, naming it, where that is nothing that is read.
  void Add(const KerasSpec& spec);

  // Takes the input's size from the network's first layer. The shape stands with the input, or with a
  // sequential model's first layer.
  void ReadInput(const KerasSpec& spec);

  // Throws Error: the layer, and what is wrong with it.
  template <typename... Parts>
  [[noreturn]] void Bad(const KerasSpec& layer, const Parts&... parts) const {
    BadNode(graph_, {"the layer " + layer.name, layer.kind, "", {}, {}}, Concat(parts...));
  }

 private:
  // What the layer's only call has beside the map that it reads, under one of these names in Keras 2, and as
  // the second argument in Keras 3. Null where there is none.
  static const nlohmann::json* ArgumentOf(const KerasSpec& spec, std::initializer_list<const char*> names);
  // Of these one that is no map.
  static const nlohmann::json* ConstantOf(const KerasSpec& spec);
  // What a kind of layer that is not read is a sign of.
  static std::string_view SignOf(std::string_view kind);
  void CheckWhole(const KerasSpec& spec) const;
  void Append(const KerasSpec& spec, op::Any operation, std::vector<int> inputs);
  void Append(const KerasSpec& spec, op::Any operation);
  template <typename Operation>
  void AddOnly(const KerasSpec& spec) {
    Append(spec, Operation());
  }
  [[nodiscard]] KerasLayerWeights WeightsOf(const KerasSpec& spec) const;
  int Integer(const KerasSpec& spec, const nlohmann::json& value, const char* key) const;
  // Two numbers, of rows and of columns; Keras also writes one for both.
  std::pair<int, int> Pair(const KerasSpec& spec, const nlohmann::json& value, const char* key) const;
  // "same" is nothing, "valid" no zeros.
  [[nodiscard]] bool IsSame(const KerasSpec& spec) const;
  void SetWindow(const KerasSpec& spec, op::Window& window) const;
  void CheckBias(const KerasSpec& spec, const std::vector<float>& bias) const;
  void AddConvolution(const KerasSpec& spec);
  void AddDepthwise(const KerasSpec& spec);
  void AddDense(const KerasSpec& spec);
  // What a layer that does something else has behind that.
  void AddActivationOf(const KerasSpec& spec);
  void AddActivation(const KerasSpec& spec);
  void AppendActivation(const KerasSpec& spec, const std::vector<int>& inputs);
  // Which writes down types as objects.
  static bool IsOfKeras3(const KerasSpec& spec);
  void AddNorm(const KerasSpec& spec);
  void AddRelu(const KerasSpec& spec);
  void AddZeros(const KerasSpec& spec);
  void AddAverage(const KerasSpec& spec);
  void AddSoftmax(const KerasSpec& spec);
  void AddRescaling(const KerasSpec& spec);
  // One number for all channels, or one for each, however deep in lists.
  std::array<double, 3> Channels(const KerasSpec& spec, const nlohmann::json& value, const char* key) const;
  // (x - mean) / max(deviation, 1e-7), whose numbers stand in the configuration or among the weights.
  void AddNormalization(const KerasSpec& spec);
  // A function of TensorFlow's that a Keras 2 model calls, such as those of preprocess_input.
  void AddFunction(const KerasSpec& spec);
  // The same in Keras 3, which has the names of layers that join two maps.
  void AddOperator(const KerasSpec& spec);
  // Of the channels: all of them, the other way round, or one, for a stack.
  void AddSlice(const KerasSpec& spec);
  // Three channels of one map, as the last axis.
  void AddStack(const KerasSpec& spec);
  void AddSum(const KerasSpec& spec);
  // Whether the function is one that we know.
  bool AddArithmetic(const KerasSpec& spec, std::string_view function, const nlohmann::json& constant);
  void AddFlatten(const KerasSpec& spec);
  void AddReshape(const KerasSpec& spec);

  struct Channel {
    int map;
    int number;
  };

  const KerasWeights& weights_;
  Graph& graph_;
  std::map<int, Channel> channels_;  // by nodes that stand for one channel alone
};

}  // namespace mobilenet
