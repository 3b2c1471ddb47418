// The model_config of Keras files: a functional or sequential model, perhaps with models inside.
#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "base/fail.h"
#include "formats/json.h"
#include "formats/keras.h"
#include "formats/keras_slices.h"
#include "formats/keras_weights.h"

namespace mobilenet {
namespace {

using nlohmann::json;

// Far above any in networks of ours, and within an int whatever is done with it.
constexpr int kMostNumber = 1'000'000;

// The layers that a list of inbound nodes or of outputs names: [name, 0, 0] in Keras 2, and the same as
// "keras_history" in Keras 3, however deep in lists.
void CollectReferences(const json& value, std::vector<json>& references) {
  if (value.is_array() && value.size() >= 3 && value[0].is_string() && value[1].is_number_integer()) {
    references.push_back(value);
  } else if (value.is_object() && value.contains("keras_history")) {
    CollectReferences(value["keras_history"], references);
  } else if (value.is_structured()) {
    for (const json& inner : value) CollectReferences(inner, references);
  }
}

std::vector<json> ReferencesIn(const json& value) {
  std::vector<json> references;
  CollectReferences(value, references);
  return references;
}

void CollectNumbers(const json& value, std::vector<double>& numbers) {
  if (value.is_number()) {
    numbers.push_back(value.get<double>());
  } else if (value.is_object() && value.contains("config")) {  // an array of Keras 3's
    CollectNumbers(value["config"], numbers);
  } else if (value.is_object() && value.contains("value")) {
    CollectNumbers(value["value"], numbers);
  } else if (value.is_array()) {
    for (const json& inner : value) CollectNumbers(inner, numbers);
  }
}

// One layer, and what it reads.
struct Spec {
  std::string kind;
  std::string name;
  const json& config;
  std::string model;  // "inner/" for one within the model "inner"
  std::vector<int> inputs;
  const json* layer = nullptr;  // all of what stands there: its configuration, and what it reads
};

class ConfigReader {
 public:
  ConfigReader(std::string_view file, const KerasWeights& weights) : weights_(weights) {
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

  template <typename... Parts>
  [[noreturn]] void Bad(const Spec& layer, const Parts&... parts) const {
    BadNode(graph_, {"the layer " + layer.name, layer.kind, "", {}, {}}, Concat(parts...));
  }

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
      Spec spec = {kind, TextOr(config, "name", TextOr(layer, "name", kind)), config, path, {last}, &layer};
      const bool is_input = kind == "InputLayer";
      if (is_input) {
        if (!outputs.empty()) Bad(spec, "is a second input, expected one, and that first");
        spec.inputs = {input};
      } else if (functional) {
        spec.inputs = InputsOf(spec, layer, outputs);
      }
      graph_.output = last = Add(spec, layer);
      if (!outputs.emplace(spec.name, last).second && functional) Bad(spec, "has the name of another layer");
    }
    return OutputOf(model, outputs, last);
  }

  static std::vector<json> ReferencesOf(const json& layer) {
    return layer.contains("inbound_nodes") ? ReferencesIn(layer["inbound_nodes"]) : std::vector<json>();
  }

  std::vector<int> InputsOf(const Spec& spec, const json& layer, const Outputs& outputs) const {
    const json& calls = layer.contains("inbound_nodes") ? layer["inbound_nodes"] : json::array();
    if (calls.size() != 1) Bad(spec, "is used ", calls.size(), " times, expected once");
    std::vector<int> inputs;
    for (const json& reference : ReferencesIn(calls)) {
      const auto found = outputs.find(reference.at(0).get<std::string>());
      if (found == outputs.end())
        Bad(spec, "reads ", Shown(reference.at(0)), ", which is no layer before it");
      if (reference.at(1) != 0 || reference.at(2) != 0)
        Bad(spec, "reads ", Shown(reference), ", expected the first output of its only use");
      inputs.push_back(found->second);
    }
    if (inputs.empty()) Bad(spec, "reads no layer");
    return inputs;
  }

  // What the layer's only call has beside the map that it reads, under one of these names in Keras 2, and as
  // the second argument in Keras 3. Null where there is none.
  static const json* ArgumentOf(const Spec& spec, std::initializer_list<const char*> names) {
    if (spec.layer == nullptr || !spec.layer->contains("inbound_nodes")) return nullptr;
    const json& calls = (*spec.layer)["inbound_nodes"];
    if (!calls.is_array() || calls.size() != 1) return nullptr;
    const json& call = calls[0];
    if (call.is_object() && call.contains("args") && call["args"].is_array() && call["args"].size() == 2)
      return ReferencesIn(call["args"][0]).empty() ? nullptr : &call["args"][1];
    if (!call.is_array() || call.size() != 4 || !call[3].is_object()) return nullptr;
    for (const char* name : names) {
      if (call[3].contains(name)) return &call[3][name];
    }
    return nullptr;
  }

  // Of these one that is no map.
  static const json* ConstantOf(const Spec& spec) {
    const json* argument = ArgumentOf(spec, {"y", "bias"});
    return argument != nullptr && ReferencesIn(*argument).empty() ? argument : nullptr;
  }

  int OutputOf(const json& model, const Outputs& outputs, int last) const {
    const json& config = model["config"];
    if (!config.is_object() || !config.contains("output_layers")) return last;
    const std::vector<json> references = ReferencesIn(config["output_layers"]);
    if (references.size() != 1) Fail(graph_.file, ": has ", references.size(), " outputs, expected one");
    const auto found = outputs.find(references[0].at(0).get<std::string>());
    if (found == outputs.end())
      Fail(graph_.file, ": its output is that of ", Shown(references[0].at(0)), ", which is no layer");
    return found->second;
  }

  // Returns the node that is the layer's output.
  int Add(const Spec& spec, const json& layer) {
    try {
      if (spec.inputs == std::vector{kNetworkInput} && graph_.nodes.empty()) ReadInput(spec);
      if (spec.kind == "InputLayer") return spec.inputs[0];
      if (spec.kind == "Functional" || spec.kind == "Model" || spec.kind == "Sequential") {
        if (spec.inputs.size() != 1) Bad(spec, "reads ", spec.inputs.size(), " maps, expected one");
        // However deep models lie in each other, their weights lie below the outermost.
        return AddModel(layer, spec.model.empty() ? spec.name + "/" : spec.model, spec.inputs[0]);
      }
      if (TextOr(spec.config, "data_format", "channels_last") != "channels_last")
        Bad(spec, "has the data format channels_first, expected channels_last");
      Dispatch(spec);
      return graph_.output;
    } catch (const json::exception& error) {
      Fail(graph_.file, ": the layer ", spec.name, "'s configuration is damaged: ", error.what());
    }
  }

  // What a kind of layer that is not read is a sign of.
  static std::string_view SignOf(std::string_view kind) {
    if (kind == "TFOpLambda") return " (an operation of TensorFlow's between layers)";
    if (kind == "Lambda") return " (code of its author's own)";
    return "";
  }

  void CheckWhole(const Spec& spec) const {
    const auto is_channel = [this](int input) { return channels_.contains(input); };
    if (spec.kind != "Stack" && std::ranges::any_of(spec.inputs, is_channel))
      Bad(spec, "reads one channel of a map alone, expected all");
  }

  void Dispatch(const Spec& spec) {
    CheckWhole(spec);
    struct Row {
      std::string_view kind;
      void (ConfigReader::*add)(const Spec&);
    };
    static constexpr std::array kRows = {
        Row{"Conv2D", &ConfigReader::AddConvolution},
        Row{"DepthwiseConv2D", &ConfigReader::AddDepthwise},
        Row{"Dense", &ConfigReader::AddDense},
        Row{"BatchNormalization", &ConfigReader::AddNorm},
        Row{"ReLU", &ConfigReader::AddRelu},
        Row{"Activation", &ConfigReader::AddActivation},
        Row{"Add", &ConfigReader::AddSum},
        Row{"ZeroPadding2D", &ConfigReader::AddZeros},
        Row{"GlobalAveragePooling2D", &ConfigReader::AddOnly<op::Average>},
        Row{"AveragePooling2D", &ConfigReader::AddAverage},
        Row{"Softmax", &ConfigReader::AddSoftmax},
        Row{"Rescaling", &ConfigReader::AddRescaling},
        Row{"Normalization", &ConfigReader::AddNormalization},
        Row{"TFOpLambda", &ConfigReader::AddFunction},
        Row{"Subtract", &ConfigReader::AddOperator},
        Row{"Multiply", &ConfigReader::AddOperator},
        Row{"TrueDivide", &ConfigReader::AddOperator},
        Row{"Divide", &ConfigReader::AddOperator},
        Row{"GetItem", &ConfigReader::AddSlice},
        Row{"SlicingOpLambda", &ConfigReader::AddSlice},
        Row{"Stack", &ConfigReader::AddStack},
        Row{"Flatten", &ConfigReader::AddFlatten},
        Row{"Reshape", &ConfigReader::AddReshape},
        // What augments, or drops values, does so in training alone.
        Row{"Dropout", &ConfigReader::AddOnly<op::Identity>},
        Row{"SpatialDropout2D", &ConfigReader::AddOnly<op::Identity>},
        Row{"RandomFlip", &ConfigReader::AddOnly<op::Identity>},
        Row{"RandomRotation", &ConfigReader::AddOnly<op::Identity>},
        Row{"RandomZoom", &ConfigReader::AddOnly<op::Identity>},
        Row{"RandomTranslation", &ConfigReader::AddOnly<op::Identity>},
        Row{"RandomContrast", &ConfigReader::AddOnly<op::Identity>},
        Row{"RandomBrightness", &ConfigReader::AddOnly<op::Identity>},
    };
    const auto* row = std::ranges::find(kRows, std::string_view(spec.kind), &Row::kind);
    if (row == kRows.end())
      Fail(graph_.file, ": the layer ", spec.name, " is a ", spec.kind, SignOf(spec.kind),
           ", which is not read");
    (this->*row->add)(spec);
  }

  void Append(const Spec& spec, op::Any operation, std::vector<int> inputs) {
    graph_.Append({"the layer " + spec.name, spec.kind, spec.name, std::move(inputs), std::move(operation)});
  }
  void Append(const Spec& spec, op::Any operation) { Append(spec, std::move(operation), spec.inputs); }

  template <typename Operation>
  void AddOnly(const Spec& spec) {
    Append(spec, Operation());
  }

  [[nodiscard]] KerasLayerWeights WeightsOf(const Spec& spec) const {
    return {graph_.file, weights_, spec.model, spec.name};
  }

  int Integer(const Spec& spec, const json& value, const char* key) const {
    const bool fits = value.is_number_integer() && value >= -kMostNumber && value <= kMostNumber;
    if (!fits) Bad(spec, "has the ", key, " ", Shown(value), ", expected a number");
    return value.get<int>();
  }

  // Two numbers, of rows and of columns; Keras also writes one for both.
  std::pair<int, int> Pair(const Spec& spec, const json& value, const char* key) const {
    if (!value.is_array()) return {Integer(spec, value, key), Integer(spec, value, key)};
    if (value.size() != 2) Bad(spec, "has the ", key, " ", Shown(value), ", expected two numbers");
    return {Integer(spec, value[0], key), Integer(spec, value[1], key)};
  }

  // The input's shape stands with the input, or with a sequential model's first layer.
  void ReadInput(const Spec& spec) {
    for (const char* key : {"batch_input_shape", "batch_shape"}) {
      if (!spec.config.contains(key) || !spec.config[key].is_array()) continue;
      const json& shape = spec.config[key];
      if (shape.size() != 4) Bad(spec, "takes inputs of shape ", Shown(shape), ", expected images");
      if (!shape[3].is_null()) graph_.channels = Integer(spec, shape[3], "input shape");
      if (shape[1].is_null() != shape[2].is_null())
        Bad(spec, "takes images of ", Shown(shape[1]), " x ", Shown(shape[2]),
            " pixels, expected both sides or neither");
      if (!shape[1].is_null())
        graph_.resolution = {Integer(spec, shape[1], "height"), Integer(spec, shape[2], "width")};
    }
  }

  // "same" is nothing, "valid" no zeros.
  [[nodiscard]] bool IsSame(const Spec& spec) const {
    const std::string padding = TextOr(spec.config, "padding", "");
    if (padding != "same" && padding != "valid")
      Bad(spec, "has the padding ", padding, ", expected same or valid");
    return padding == "same";
  }

  void SetWindow(const Spec& spec, op::Window& window) const {
    const auto [down, across] = Pair(spec, spec.config.at("strides"), "strides");
    window.stride = {down, across};
    for (const char* key : {"dilation_rate", "groups"}) {
      if (spec.config.contains(key) && Pair(spec, spec.config[key], key) != std::pair(1, 1))
        Bad(spec, "has the ", key, " ", Shown(spec.config[key]), ", expected 1");
    }
    if (!IsSame(spec)) window.padding = Padding();
    CheckBias(spec, window.bias);
  }

  void CheckBias(const Spec& spec, const std::vector<float>& bias) const {
    if (spec.config.value("use_bias", !bias.empty()) == bias.empty())
      Bad(spec, bias.empty() ? "has no bias, though it uses one" : "has a bias, though it uses none");
  }

  void AddConvolution(const Spec& spec) {
    op::Convolution convolution = WeightsOf(spec).Convolution();
    SetWindow(spec, convolution);
    Append(spec, std::move(convolution));
    AddActivationOf(spec);
  }

  void AddDepthwise(const Spec& spec) {
    op::Depthwise depthwise = WeightsOf(spec).Depthwise();
    SetWindow(spec, depthwise);
    Append(spec, std::move(depthwise));
    AddActivationOf(spec);
  }

  void AddDense(const Spec& spec) {
    op::Dense dense = WeightsOf(spec).Dense();
    CheckBias(spec, dense.bias);
    Append(spec, std::move(dense));
    AddActivationOf(spec);
  }

  // What a layer that does something else has behind that.
  void AddActivationOf(const Spec& spec) {
    if (spec.config.contains("activation")) AppendActivation(spec, {graph_.output});
  }

  void AddActivation(const Spec& spec) { AppendActivation(spec, spec.inputs); }

  void AppendActivation(const Spec& spec, const std::vector<int>& inputs) {
    const json& activation = spec.config.at("activation");
    if (activation.is_null() || activation == "linear") return Append(spec, op::Identity(), inputs);
    if (activation == "softmax") return Append(spec, op::Softmax(), inputs);
    if (activation == "sigmoid") return Append(spec, op::Sigmoid(), inputs);
    const std::string name = activation.is_string() ? activation.get<std::string>() : Shown(activation);
    struct Row {
      std::string_view name;
      op::Activate operation;
    };
    // Keras 2's hard-sigmoid is x / 5 + 1 / 2 within its bounds.
    const double slope = IsOfKeras3(spec) ? 1 : 1.2;
    const std::array rows = {Row{"relu", {Activation::kRelu}}, Row{"relu6", {Activation::kRelu6}},
                             Row{"hard_sigmoid", {Activation::kHardSigmoid, slope}},
                             Row{"hard_swish", {Activation::kHardSwish}},
                             Row{"hard_silu", {Activation::kHardSwish}}};
    const auto* row = std::ranges::find(rows, std::string_view(name), &Row::name);
    if (row == rows.end())
      Bad(spec, "has the activation ", name, ", expected relu, relu6, hard_sigmoid or hard_swish");
    Append(spec, row->operation, inputs);
  }

  // Which writes down types as objects.
  static bool IsOfKeras3(const Spec& spec) {
    return spec.config.contains("dtype") && spec.config["dtype"].is_object();
  }

  void AddNorm(const Spec& spec) {
    op::Norm norm = WeightsOf(spec).Norm();
    norm.epsilon = spec.config.value("epsilon", norm.epsilon);
    if (spec.config.contains("axis")) {
      const json& axis = spec.config["axis"];
      norm.axis = Integer(spec, axis.is_array() && axis.size() == 1 ? axis[0] : axis, "axis");
    }
    for (const auto& [key, values] : {std::pair("scale", &norm.gamma), std::pair("center", &norm.beta)}) {
      if (spec.config.value(key, !values->empty()) == values->empty())
        Bad(spec, "has weights that don't go with its ", key, " of ", Shown(spec.config[key]));
    }
    Append(spec, std::move(norm));
  }

  void AddRelu(const Spec& spec) {
    const auto number = [&](const char* key) {
      return spec.config.contains(key) && !spec.config[key].is_null() ? spec.config[key].get<double>() : 0.0;
    };
    const bool clipped = spec.config.contains("max_value") && !spec.config["max_value"].is_null();
    if (clipped && number("max_value") != 6)
      Bad(spec, "clips at ", Shown(spec.config["max_value"]), ", expected 6 or nothing");
    for (const char* key : {"negative_slope", "threshold"}) {
      if (number(key) != 0) Bad(spec, "has the ", key, " ", number(key), ", expected 0");
    }
    Append(spec, op::Activate{clipped ? Activation::kRelu6 : Activation::kRelu});
  }

  void AddZeros(const Spec& spec) {
    const json& padding = spec.config.at("padding");
    const auto side = [&](std::size_t i) {
      return Pair(spec, padding.is_array() ? padding.at(i) : padding, "padding");
    };
    if (padding.is_array() && padding.size() != 2)
      Bad(spec, "has the padding ", Shown(padding), ", expected that of rows and that of columns");
    const auto [top, bottom] = side(0);
    const auto [left, right] = side(1);
    Append(spec, op::Zeros{{top, bottom, left, right}});
  }

  void AddAverage(const Spec& spec) {
    op::Average average;
    std::tie(average.height, average.width) = Pair(spec, spec.config.at("pool_size"), "pool size");
    const bool strides = spec.config.contains("strides") && !spec.config["strides"].is_null();
    std::tie(average.stride_height, average.stride_width) =
        strides ? Pair(spec, spec.config["strides"], "strides") : std::pair(average.height, average.width);
    average.same = IsSame(spec);
    if (average.height < 1 || average.width < 1 || average.stride_height < 1 || average.stride_width < 1)
      Bad(spec, "averages over ", average.height, " x ", average.width, " pixels in steps of ",
          average.stride_height, " x ", average.stride_width, ", expected numbers from 1");
    Append(spec, average);
  }

  void AddSoftmax(const Spec& spec) {
    if (spec.config.contains("axis") && spec.config["axis"] != -1)
      Bad(spec, "has the axis ", Shown(spec.config["axis"]), ", expected -1");
    Append(spec, op::Softmax());
  }

  void AddRescaling(const Spec& spec) {
    op::Rescale rescale;
    rescale.scale = Channels(spec, spec.config.at("scale"), "scale");
    if (spec.config.contains("offset")) rescale.offset = Channels(spec, spec.config["offset"], "offset");
    Append(spec, rescale);
  }

  // One number for all channels, or one for each, however deep in lists.
  std::array<double, 3> Channels(const Spec& spec, const json& value, const char* key) const {
    std::vector<double> numbers;
    CollectNumbers(value, numbers);
    if (numbers.size() == 1) numbers.resize(3, numbers.front());
    if (numbers.size() != 3)
      Bad(spec, "has the ", key, " ", Shown(value),
          ", expected one number, or one for each of three channels");
    return {numbers[0], numbers[1], numbers[2]};
  }

  // (x - mean) / max(deviation, 1e-7), whose numbers stand in the configuration or among the weights.
  void AddNormalization(const Spec& spec) {
    if (spec.config.value("invert", false)) Bad(spec, "turns a normalization round, which is not read");
    const bool told = spec.config.contains("mean") && !spec.config["mean"].is_null();
    const auto numbers = [&](const char* key) {
      return Channels(spec, told ? spec.config.at(key) : json(WeightsOf(spec).Values(key)), key);
    };
    const auto mean = numbers("mean");
    const auto variance = numbers("variance");
    op::Rescale rescale;
    for (std::size_t c = 0; c < mean.size(); ++c) {
      rescale.scale[c] = 1 / std::max(std::sqrt(variance[c]), 1e-7);
      rescale.offset[c] = -mean[c] * rescale.scale[c];
    }
    Append(spec, rescale);
  }

  // A function of TensorFlow's that a Keras 2 model calls, such as those of preprocess_input.
  void AddFunction(const Spec& spec) {
    const std::string function = TextOr(spec.config, "function", "");
    if (function == "cast") return AddOnly<op::Identity>(spec);
    const json* constant = ConstantOf(spec);
    if (constant == nullptr || !AddArithmetic(spec, function, *constant))
      Bad(spec, "calls ", function, ", which is not read");
  }

  // The same in Keras 3, which has the names of layers that join two maps.
  void AddOperator(const Spec& spec) {
    const json* constant = ConstantOf(spec);
    if (constant == nullptr && spec.kind == "Multiply") return AddOnly<op::Multiply>(spec);
    if (constant == nullptr || !AddArithmetic(spec, spec.kind, *constant))
      Fail(graph_.file, ": the layer ", spec.name, " is a ", spec.kind, ", which is not read",
           SignOf(spec.kind));
  }

  // Of the channels: all of them, the other way round, or one, for a stack.
  void AddSlice(const Spec& spec) {
    const json* indices = ArgumentOf(spec, {"slice_spec"});
    const auto slice = indices == nullptr ? std::nullopt : ChannelSliceOf(*indices);
    if (!slice)
      Bad(spec, "takes a part of a map, expected all channels, perhaps the other way round, or one of them");
    if (slice->reversed) return AddOnly<op::Reverse>(spec);
    AddOnly<op::Identity>(spec);
    if (slice->channel >= 0) channels_[graph_.output] = {spec.inputs.at(0), slice->channel};
  }

  // Three channels of one map, as the last axis.
  void AddStack(const Spec& spec) {
    std::vector<Channel> channels;
    for (const int input : spec.inputs) {
      if (channels_.contains(input)) channels.push_back(channels_.at(input));
    }
    const auto all = [&](int step) {
      const auto follows = [step](const Channel& a, const Channel& b) {
        return a.map != b.map || b.number != a.number + step;
      };
      return std::ranges::adjacent_find(channels, follows) == channels.end();
    };
    const bool three = spec.inputs.size() == 3 && channels.size() == 3 && spec.config.value("axis", 0) == -1;
    if (!three || (!all(1) && !all(-1)))
      Bad(spec,
          "puts maps together, expected the three channels of one, in their order or the other way round");
    Append(spec, all(1) ? op::Any(op::Identity()) : op::Any(op::Reverse()), {channels[0].map});
  }

  void AddSum(const Spec& spec) { ConstantOf(spec) != nullptr ? AddOperator(spec) : AddOnly<op::Add>(spec); }

  // Whether the function is one that we know.
  bool AddArithmetic(const Spec& spec, std::string_view function, const json& constant) {
    const std::array<double, 3> numbers = Channels(spec, constant, "constant");
    const auto is = [&](std::initializer_list<std::string_view> names) {
      return std::ranges::find(names, function) != names.end();
    };
    op::Rescale rescale;
    for (std::size_t c = 0; c < numbers.size(); ++c) {
      if (is({"math.truediv", "math.divide", "TrueDivide", "Divide"})) {
        rescale.scale[c] = 1 / numbers[c];
      } else if (is({"math.multiply", "Multiply"})) {
        rescale.scale[c] = numbers[c];
      } else if (is({"math.subtract", "Subtract"})) {
        rescale.offset[c] = -numbers[c];
      } else if (is({"math.add", "__operators__.add", "nn.bias_add", "Add"})) {
        rescale.offset[c] = numbers[c];
      } else {
        return false;
      }
    }
    Append(spec, rescale);
    return true;
  }

  void AddFlatten(const Spec& spec) { Append(spec, op::Reshape{{-1}}); }

  void AddReshape(const Spec& spec) {
    op::Reshape reshape;
    for (const json& size : spec.config.at("target_shape"))
      reshape.shape.push_back(Integer(spec, size, "target shape"));
    Append(spec, std::move(reshape));
  }

  struct Channel {
    int map;
    int number;
  };

  const KerasWeights& weights_;
  Graph graph_;
  std::map<int, Channel> channels_;  // by nodes that stand for one channel alone
};

}  // namespace

Graph FromKerasConfig(std::string_view file, std::string_view config, const KerasWeights& weights) {
  return ConfigReader(file, weights).Read(ParseJson(config));
}

}  // namespace mobilenet
