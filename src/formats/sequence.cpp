#include "formats/sequence.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/fail.h"

namespace mobilenet {
namespace {

constexpr std::size_t kBlocks = 13;

// The layers in the places where V1 has them; a bare list of pointers.
struct Parts {
  const ImportedLayer* first;
  std::vector<const ImportedLayer*> body;  // depthwise and pointwise by turns, or standard convolutions
  const ImportedLayer* classifier;
  bool separable;
};

std::int64_t OutputChannels(const ImportedLayer& layer) { return layer.weight.shape.back(); }

[[noreturn]] void Unexpected(const ImportedNetwork& n, const ImportedLayer& layer,
                             std::string_view expected) {
  Fail(n.file, ": layer ", layer.name, " is a ", NameOf(layer.kind), " ", ShapeText(layer.weight.shape),
       ", expected ", expected);
}

void Expect(const ImportedNetwork& n, const ImportedLayer& layer, LayerKind kind, std::int64_t kernel,
            std::string_view what) {
  const bool windowed = kind == LayerKind::kConvolution || kind == LayerKind::kDepthwise;
  const bool fits = layer.kind == kind &&
                    (!windowed || (layer.weight.shape[0] == kernel && layer.weight.shape[1] == kernel));
  if (!fits) Unexpected(n, layer, what);
}

Parts Arrange(const ImportedNetwork& n) {
  const auto& layers = n.layers;
  if (layers.size() != 2 * kBlocks + 2 && layers.size() != kBlocks + 2) {
    Fail(n.file, ": has ", layers.size(),
         " layers with weights, expected the 28 of MobileNet V1 (or 15, where the "
         "separable layers are standard convolutions)");
  }
  Parts parts{&layers.front(), {}, &layers.back(), layers.size() == 2 * kBlocks + 2};
  Expect(n, *parts.first, LayerKind::kConvolution, 3, "MobileNet V1's first convolution, 3 x 3");
  for (std::size_t i = 1; i + 1 < layers.size(); ++i) {
    if (!parts.separable) {
      Expect(n, layers[i], LayerKind::kConvolution, 3, "a 3 x 3 convolution");
    } else if (i % 2 == 1) {
      Expect(n, layers[i], LayerKind::kDepthwise, 3, "a 3 x 3 depthwise convolution");
    } else {
      Expect(n, layers[i], LayerKind::kPointwise, 1, "a pointwise convolution");
    }
    parts.body.push_back(&layers[i]);
  }
  const bool classifies =
      parts.classifier->kind == LayerKind::kFullyConnected || parts.classifier->kind == LayerKind::kPointwise;
  if (!classifies || parts.classifier->norm) Unexpected(n, *parts.classifier, "the classifier");
  return parts;
}

bool AlphaFits(const Parts& parts, double alpha) {
  V1Options options;
  options.alpha = alpha;
  options.separable = parts.separable;
  const Network network = V1(options);
  if (network.layers.front().output.channels != OutputChannels(*parts.first)) return false;
  for (std::size_t i = 0; i < parts.body.size(); ++i) {
    if (network.layers[i + 1].output.channels != OutputChannels(*parts.body[i])) return false;
  }
  return true;
}

// int(alpha * 1024) is the number of channels at the end, so alpha lies in an interval of 1/1024: a round
// number in it is what its maker meant.
double FindAlpha(const ImportedNetwork& n, const Parts& parts) {
  const auto channels = static_cast<double>(OutputChannels(*parts.body.back()));
  const double low = channels / 1024;
  const double high = std::min(1.0, (channels + 1) / 1024);
  std::vector<double> candidates;
  for (const double parts_of_one : {4, 20, 100, 1000, 1024}) {
    candidates.push_back(std::ceil(low * parts_of_one) / parts_of_one);
  }
  for (const double alpha : candidates) {
    if (alpha > 0 && alpha >= low && alpha <= high && AlphaFits(parts, alpha)) return alpha;
  }
  Fail(n.file, ": its layers' widths, from ", OutputChannels(*parts.first), " to ",
       OutputChannels(*parts.body.back()), " channels, are those of MobileNet V1 under no alpha");
}

int FindOutputStride(const ImportedNetwork& n, const V1Options& base) {
  for (const int output_stride : {32, 16, 8, 4}) {
    V1Options options = base;
    options.output_stride = output_stride;
    const Network network = V1(options);
    bool fits = true;
    for (std::size_t i = 0; i + 1 < n.layers.size(); ++i) {
      fits &= n.layers[i].stride.value_or(network.layers[i].stride) == network.layers[i].stride;
    }
    if (fits) return output_stride;
  }
  Fail(n.file, ": the strides of its layers are not those of MobileNet V1, at no output stride");
}

// What all layers but the classifier must agree on.
template <typename Value, typename Get>
Value Common(const ImportedNetwork& n, std::string_view what, Value fallback, Get get) {
  std::optional<Value> common;
  for (std::size_t i = 0; i + 1 < n.layers.size(); ++i) {
    const std::optional<Value> value = get(n.layers[i]);
    if (!value) continue;
    if (common && *common != *value) {
      Fail(n.file, ": layer ", n.layers[i].name, " has another ", what, " than the layers before it");
    }
    common = value;
  }
  return common.value_or(fallback);
}

V1Options FindOptions(const ImportedNetwork& n, const Parts& parts) {
  V1Options o;
  o.separable = parts.separable;
  o.alpha = FindAlpha(n, parts);
  const std::int64_t classes = OutputChannels(*parts.classifier);
  if (classes < 1 || classes > 1'000'000) Fail(n.file, ": has ", classes, " classes, expected 1 to 1000000");
  o.classes = static_cast<int>(classes);
  const std::int64_t input_channels = parts.first->weight.shape[2];
  if (input_channels != 1 && input_channels != 3) {
    Fail(n.file, ": takes images of ", input_channels, " channels, expected 3 or 1");
  }
  o.input_channels = static_cast<int>(input_channels);
  o.padding =
      Common<PaddingStyle>(n, "padding", PaddingStyle::kSame, [](const auto& l) { return l.padding; });
  o.activation =
      Common<Activation>(n, "activation", Activation::kRelu6, [](const auto& l) { return l.activation; });
  o.batch_norm = Common<bool>(n, "batch norm (some layers have one, some not)", true,
                              [](const auto& l) { return std::optional(l.norm.has_value()); });
  o.epsilon = Common<float>(n, "batch norm epsilon", 1e-3F, [](const auto& l) {
    return l.norm ? std::optional(l.norm->epsilon) : std::nullopt;
  });
  o.resolution = n.resolution.value_or(Resolution());
  o.output_stride = FindOutputStride(n, o);
  return o;
}

void AddVector(const std::string& name, std::vector<float> values, Weights& weights) {
  const auto size = static_cast<std::int64_t>(values.size());
  weights[name] = Tensor::Of({size}, std::move(values));
}

void AddLayer(const Layer& layer, const ImportedLayer& imported, Weights& weights) {
  weights[layer.name + ".weight"] = imported.weight;
  std::vector<float> bias = imported.bias;
  if (bias.empty()) bias.resize(static_cast<std::size_t>(layer.output.channels));
  if (layer.bias) AddVector(layer.name + ".bias", bias, weights);
  if (!layer.batch_norm) return;
  const ImportedNorm& norm = *imported.norm;
  std::vector<float> mean = norm.mean;
  // A bias before a batch norm only shifts its mean.
  if (!layer.bias && bias.size() == mean.size()) {
    for (std::size_t c = 0; c < mean.size(); ++c) mean[c] -= bias[c];
  }
  AddVector(layer.name + ".norm.gamma", norm.gamma, weights);
  AddVector(layer.name + ".norm.beta", norm.beta, weights);
  AddVector(layer.name + ".norm.mean", std::move(mean), weights);
  AddVector(layer.name + ".norm.variance", norm.variance, weights);
}

}  // namespace

Model Recognise(const ImportedNetwork& network) {
  const Parts parts = Arrange(network);
  Model model;
  InContext(network.file, [&] {
    model.network = V1(FindOptions(network, parts));
    std::size_t next = 0;
    for (const Layer& layer : model.network.layers) {
      if (layer.kind != LayerKind::kGlobalAveragePool) AddLayer(layer, network.layers[next++], model.weights);
    }
    CheckWeights(model.network, model.weights);
  });
  model.provenance["imported from"] = network.format;
  if (network.preprocessing) {
    model.preprocessing = *network.preprocessing;
  } else {
    model.preprocessing = InferPreprocessing(*parts.first, model.provenance["preprocessing"]);
  }
  if (!network.resolution) model.provenance["resolution"] = "not in the file; 224 was assumed";
  return model;
}

}  // namespace mobilenet
