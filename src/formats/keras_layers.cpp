#include "formats/keras_layers.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>

#include "formats/json.h"
#include "formats/keras_slices.h"

namespace mobilenet {
namespace {

using nlohmann::json;

// Far above any in networks of ours, and within an int whatever is done with it.
constexpr int kMostNumber = 1'000'000;

void CollectReferences(const json& value, std::vector<json>& references) {
  if (value.is_array() && value.size() >= 3 && value[0].is_string() && value[1].is_number_integer()) {
    references.push_back(value);
  } else if (value.is_object() && value.contains("keras_history")) {
    CollectReferences(value["keras_history"], references);
  } else if (value.is_structured()) {
    for (const json& inner : value) CollectReferences(inner, references);
  }
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

}  // namespace

std::vector<json> KerasReferencesIn(const json& value) {
  std::vector<json> references;
  CollectReferences(value, references);
  return references;
}

const json* KerasLayers::ArgumentOf(const KerasSpec& spec, std::initializer_list<const char*> names) {
  if (spec.layer == nullptr || !spec.layer->contains("inbound_nodes")) return nullptr;
  const json& calls = (*spec.layer)["inbound_nodes"];
  if (!calls.is_array() || calls.size() != 1) return nullptr;
  const json& call = calls[0];
  if (call.is_object() && call.contains("args") && call["args"].is_array() && call["args"].size() == 2)
    return KerasReferencesIn(call["args"][0]).empty() ? nullptr : &call["args"][1];
  if (!call.is_array() || call.size() != 4 || !call[3].is_object()) return nullptr;
  for (const char* name : names) {
    if (call[3].contains(name)) return &call[3][name];
  }
  return nullptr;
}

const json* KerasLayers::ConstantOf(const KerasSpec& spec) {
  const json* argument = ArgumentOf(spec, {"y", "bias"});
  return argument != nullptr && KerasReferencesIn(*argument).empty() ? argument : nullptr;
}

std::string_view KerasLayers::SignOf(std::string_view kind) {
  if (kind == "TFOpLambda") return " (an operation of TensorFlow's between layers)";
  if (kind == "Lambda") return " (code of its author's own)";
  return "";
}

void KerasLayers::CheckWhole(const KerasSpec& spec) const {
  const auto is_channel = [this](int input) { return channels_.contains(input); };
  if (spec.kind != "Stack" && std::ranges::any_of(spec.inputs, is_channel))
    Bad(spec, "reads one channel of a map alone, expected all");
}

void KerasLayers::Add(const KerasSpec& spec) {
  if (TextOr(spec.config, "data_format", "channels_last") != "channels_last")
    Bad(spec, "has the data format channels_first, expected channels_last");
  CheckWhole(spec);
  struct Row {
    std::string_view kind;
    void (KerasLayers::*add)(const KerasSpec&);
  };
  static constexpr std::array kRows = {
      Row{"Conv2D", &KerasLayers::AddConvolution},
      Row{"DepthwiseConv2D", &KerasLayers::AddDepthwise},
      Row{"Dense", &KerasLayers::AddDense},
      Row{"BatchNormalization", &KerasLayers::AddNorm},
      Row{"ReLU", &KerasLayers::AddRelu},
      Row{"Activation", &KerasLayers::AddActivation},
      Row{"Add", &KerasLayers::AddSum},
      Row{"ZeroPadding2D", &KerasLayers::AddZeros},
      Row{"GlobalAveragePooling2D", &KerasLayers::AddOnly<op::Average>},
      Row{"AveragePooling2D", &KerasLayers::AddAverage},
      Row{"Softmax", &KerasLayers::AddSoftmax},
      Row{"Rescaling", &KerasLayers::AddRescaling},
      Row{"Normalization", &KerasLayers::AddNormalization},
      Row{"TFOpLambda", &KerasLayers::AddFunction},
      Row{"Subtract", &KerasLayers::AddOperator},
      Row{"Multiply", &KerasLayers::AddOperator},
      Row{"TrueDivide", &KerasLayers::AddOperator},
      Row{"Divide", &KerasLayers::AddOperator},
      Row{"GetItem", &KerasLayers::AddSlice},
      Row{"SlicingOpLambda", &KerasLayers::AddSlice},
      Row{"Stack", &KerasLayers::AddStack},
      Row{"Flatten", &KerasLayers::AddFlatten},
      Row{"Reshape", &KerasLayers::AddReshape},
      // What augments, or drops values, does so in training alone.
      Row{"Dropout", &KerasLayers::AddOnly<op::Identity>},
      Row{"SpatialDropout2D", &KerasLayers::AddOnly<op::Identity>},
      Row{"RandomFlip", &KerasLayers::AddOnly<op::Identity>},
      Row{"RandomRotation", &KerasLayers::AddOnly<op::Identity>},
      Row{"RandomZoom", &KerasLayers::AddOnly<op::Identity>},
      Row{"RandomTranslation", &KerasLayers::AddOnly<op::Identity>},
      Row{"RandomContrast", &KerasLayers::AddOnly<op::Identity>},
      Row{"RandomBrightness", &KerasLayers::AddOnly<op::Identity>},
  };
  const auto* row = std::ranges::find(kRows, std::string_view(spec.kind), &Row::kind);
  if (row == kRows.end())
    Fail(graph_.file, ": the layer ", spec.name, " is a ", spec.kind, SignOf(spec.kind),
         ", which is not read");
  (this->*row->add)(spec);
}

void KerasLayers::Append(const KerasSpec& spec, op::Any operation, std::vector<int> inputs) {
  graph_.Append({"the layer " + spec.name, spec.kind, spec.name, std::move(inputs), std::move(operation)});
}

void KerasLayers::Append(const KerasSpec& spec, op::Any operation) {
  Append(spec, std::move(operation), spec.inputs);
}

KerasLayerWeights KerasLayers::WeightsOf(const KerasSpec& spec) const {
  return {graph_.file, weights_, spec.model, spec.name};
}

int KerasLayers::Integer(const KerasSpec& spec, const json& value, const char* key) const {
  const bool fits = value.is_number_integer() && value >= -kMostNumber && value <= kMostNumber;
  if (!fits) Bad(spec, "has the ", key, " ", Shown(value), ", expected a number");
  return value.get<int>();
}

std::pair<int, int> KerasLayers::Pair(const KerasSpec& spec, const json& value, const char* key) const {
  if (!value.is_array()) return {Integer(spec, value, key), Integer(spec, value, key)};
  if (value.size() != 2) Bad(spec, "has the ", key, " ", Shown(value), ", expected two numbers");
  return {Integer(spec, value[0], key), Integer(spec, value[1], key)};
}

void KerasLayers::ReadInput(const KerasSpec& spec) {
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

bool KerasLayers::IsSame(const KerasSpec& spec) const {
  const std::string padding = TextOr(spec.config, "padding", "");
  if (padding != "same" && padding != "valid")
    Bad(spec, "has the padding ", padding, ", expected same or valid");
  return padding == "same";
}

void KerasLayers::SetWindow(const KerasSpec& spec, op::Window& window) const {
  const auto [down, across] = Pair(spec, spec.config.at("strides"), "strides");
  window.stride = {down, across};
  for (const char* key : {"dilation_rate", "groups"}) {
    if (spec.config.contains(key) && Pair(spec, spec.config[key], key) != std::pair(1, 1))
      Bad(spec, "has the ", key, " ", Shown(spec.config[key]), ", expected 1");
  }
  if (!IsSame(spec)) window.padding = Padding();
  CheckBias(spec, window.bias);
}

void KerasLayers::CheckBias(const KerasSpec& spec, const std::vector<float>& bias) const {
  if (spec.config.value("use_bias", !bias.empty()) == bias.empty())
    Bad(spec, bias.empty() ? "has no bias, though it uses one" : "has a bias, though it uses none");
}

void KerasLayers::AddConvolution(const KerasSpec& spec) {
  op::Convolution convolution = WeightsOf(spec).Convolution();
  SetWindow(spec, convolution);
  Append(spec, std::move(convolution));
  AddActivationOf(spec);
}

void KerasLayers::AddDepthwise(const KerasSpec& spec) {
  op::Depthwise depthwise = WeightsOf(spec).Depthwise();
  SetWindow(spec, depthwise);
  Append(spec, std::move(depthwise));
  AddActivationOf(spec);
}

void KerasLayers::AddDense(const KerasSpec& spec) {
  op::Dense dense = WeightsOf(spec).Dense();
  CheckBias(spec, dense.bias);
  Append(spec, std::move(dense));
  AddActivationOf(spec);
}

void KerasLayers::AddActivationOf(const KerasSpec& spec) {
  if (spec.config.contains("activation")) AppendActivation(spec, {graph_.output});
}

void KerasLayers::AddActivation(const KerasSpec& spec) { AppendActivation(spec, spec.inputs); }

void KerasLayers::AppendActivation(const KerasSpec& spec, const std::vector<int>& inputs) {
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

bool KerasLayers::IsOfKeras3(const KerasSpec& spec) {
  return spec.config.contains("dtype") && spec.config["dtype"].is_object();
}

void KerasLayers::AddNorm(const KerasSpec& spec) {
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

void KerasLayers::AddRelu(const KerasSpec& spec) {
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

void KerasLayers::AddZeros(const KerasSpec& spec) {
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

void KerasLayers::AddAverage(const KerasSpec& spec) {
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

void KerasLayers::AddSoftmax(const KerasSpec& spec) {
  if (spec.config.contains("axis") && spec.config["axis"] != -1)
    Bad(spec, "has the axis ", Shown(spec.config["axis"]), ", expected -1");
  Append(spec, op::Softmax());
}

void KerasLayers::AddRescaling(const KerasSpec& spec) {
  op::Rescale rescale;
  rescale.scale = Channels(spec, spec.config.at("scale"), "scale");
  if (spec.config.contains("offset")) rescale.offset = Channels(spec, spec.config["offset"], "offset");
  Append(spec, rescale);
}

std::array<double, 3> KerasLayers::Channels(const KerasSpec& spec, const json& value, const char* key) const {
  std::vector<double> numbers;
  CollectNumbers(value, numbers);
  if (numbers.size() == 1) numbers.resize(3, numbers.front());
  if (numbers.size() != 3)
    Bad(spec, "has the ", key, " ", Shown(value), ", expected one number, or one for each of three channels");
  return {numbers[0], numbers[1], numbers[2]};
}

void KerasLayers::AddNormalization(const KerasSpec& spec) {
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

void KerasLayers::AddFunction(const KerasSpec& spec) {
  const std::string function = TextOr(spec.config, "function", "");
  if (function == "cast") return AddOnly<op::Identity>(spec);
  const json* constant = ConstantOf(spec);
  if (constant == nullptr || !AddArithmetic(spec, function, *constant))
    Bad(spec, "calls ", function, ", which is not read");
}

void KerasLayers::AddOperator(const KerasSpec& spec) {
  const json* constant = ConstantOf(spec);
  if (constant == nullptr && spec.kind == "Multiply") return AddOnly<op::Multiply>(spec);
  if (constant == nullptr || !AddArithmetic(spec, spec.kind, *constant))
    Fail(graph_.file, ": the layer ", spec.name, " is a ", spec.kind, ", which is not read",
         SignOf(spec.kind));
}

void KerasLayers::AddSlice(const KerasSpec& spec) {
  const json* indices = ArgumentOf(spec, {"slice_spec"});
  const auto slice = indices == nullptr ? std::nullopt : ChannelSliceOf(*indices);
  if (!slice)
    Bad(spec, "takes a part of a map, expected all channels, perhaps the other way round, or one of them");
  if (slice->reversed) return AddOnly<op::Reverse>(spec);
  AddOnly<op::Identity>(spec);
  if (slice->channel >= 0) channels_[graph_.output] = {spec.inputs.at(0), slice->channel};
}

void KerasLayers::AddStack(const KerasSpec& spec) {
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

void KerasLayers::AddSum(const KerasSpec& spec) {
  ConstantOf(spec) != nullptr ? AddOperator(spec) : AddOnly<op::Add>(spec);
}

bool KerasLayers::AddArithmetic(const KerasSpec& spec, std::string_view function, const json& constant) {
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

void KerasLayers::AddFlatten(const KerasSpec& spec) { Append(spec, op::Reshape{{-1}}); }

void KerasLayers::AddReshape(const KerasSpec& spec) {
  op::Reshape reshape;
  for (const json& size : spec.config.at("target_shape"))
    reshape.shape.push_back(Integer(spec, size, "target shape"));
  Append(spec, std::move(reshape));
}

}  // namespace mobilenet
