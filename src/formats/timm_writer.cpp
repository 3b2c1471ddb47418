// Writing safetensors with timm's names, for timm's own MobileNets.
#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include "base/fail.h"
#include "formats/model_file.h"
#include "formats/safetensors.h"
#include "formats/torch_layout.h"
#include "formats/torch_names.h"
#include "mobilenet/interchange.h"
#include "network/kinds.h"
#include "network/shapes.h"

namespace mobilenet {
namespace {

constexpr double kTimmEpsilon = 1e-5;  // of PyTorch's batch norms

// What timm.create_model calls them.
struct Architecture {
  std::string_view version;
  double alpha;
  std::string_view name;
};
constexpr std::array kArchitectures = {
    Architecture{"v1", 1, "mobilenetv1_100"},   Architecture{"v2", 0.35, "mobilenetv2_035"},
    Architecture{"v2", 0.5, "mobilenetv2_050"}, Architecture{"v2", 0.75, "mobilenetv2_075"},
    Architecture{"v2", 1, "mobilenetv2_100"},   Architecture{"v2", 1.4, "mobilenetv2_140"},
};

template <typename... Parts>
[[noreturn]] void Refuse(const std::string& path, const Parts&... parts) {
  Fail(path, ": can't be written with timm's names: ", parts...);
}

// Whether the recipe has nothing that timm's lacks.
bool IsWhole(const V1Options& options) { return options.separable && !options.shallow; }
bool IsWhole(const V2Options& /*options*/) { return true; }

template <typename Options>
void CheckOptions(const Options& options, const std::string& path) {
  if (!IsWhole(options)) Refuse(path, "timm's MobileNet V1 is separable and not shallow");
  if (options.output_stride != 32)
    Refuse(path, "the output stride is ", options.output_stride, ", expected 32");
  if (options.activation != Activation::kRelu6)
    Refuse(path, "the activation is ", NameOf(options.activation), ", expected relu6");
}

void CheckOptions(const V3Options& /*options*/, const std::string& path) {
  Refuse(path, "those of MobileNet V3 are read only, expected V1 or V2");
}

void CheckOptions(const V4Options& /*options*/, const std::string& path) {
  Refuse(path, "those of MobileNet V4 are read only, expected V1 or V2");
}

std::string_view ArchitectureOf(const Recipe& recipe, const std::string& path) {
  const double alpha = std::visit([](const auto& options) { return options.alpha; }, recipe);
  const auto fits = [&](const Architecture& a) { return a.version == NameOf(recipe) && a.alpha == alpha; };
  const auto* const found = std::ranges::find_if(kArchitectures, fits);
  if (found == kArchitectures.end())
    Refuse(path, "timm has no MobileNet ", NameOf(recipe), " of alpha ", alpha,
           ", expected v1 of alpha 1, or v2 of 0.35, 0.5, 0.75, 1 or 1.4");
  return found->name;
}

void CheckPadding(const Network& network, std::string_view architecture, const std::string& path) {
  for (const Layer& layer : network.layers) {
    if (TraitsOf(layer.kind).window && !IsPaddedAs(PaddingStyle::kSymmetric, layer))
      Refuse(path, "the network is padded as TensorFlow does, from ", layer.name, " on, and timm's ",
             architecture,
             " is symmetric, which is another network; timm has it by pad_type=\"same\", which weights can't "
             "tell");
  }
}

// The numbers of a batch norm; of a layer whose batch norm was folded, those of one that only adds the bias.
class NormWriter {
 public:
  NormWriter(const Layer& layer, const Weights& weights, const std::string& name, Weights& out)
      : layer_(layer), weights_(weights), name_(name), out_(out) {}

  void Write() {
    if (layer_.batch_norm) return Copy();
    const auto channels = static_cast<std::size_t>(layer_.output.channels);
    Put(".weight", std::vector<float>(channels, static_cast<float>(std::sqrt(1 + kTimmEpsilon))));
    Put(".bias", layer_.bias ? Values(".bias") : std::vector<float>(channels));
    Put(".running_mean", std::vector<float>(channels));
    Put(".running_var", std::vector<float>(channels, 1.0F));
  }

 private:
  [[nodiscard]] std::vector<float> Values(const char* end) const {
    const auto values = weights_.find(layer_.name + end)->second.values;
    return {values.begin(), values.end()};
  }

  void Put(const char* end, std::vector<float> values) {
    const auto size = static_cast<std::int64_t>(values.size());
    out_[name_ + end] = Tensor::Of({size}, std::move(values));
  }

  // With a variance that makes up for another epsilon.
  void Copy() {
    Put(".weight", Values(".norm.gamma"));
    Put(".bias", Values(".norm.beta"));
    Put(".running_mean", Values(".norm.mean"));
    std::vector<float> variance = Values(".norm.variance");
    const double more = double{layer_.epsilon} - double{static_cast<float>(kTimmEpsilon)};
    for (float& value : variance) value = static_cast<float>(value + more);
    Put(".running_var", std::move(variance));
  }

  const Layer& layer_;
  const Weights& weights_;
  const std::string& name_;
  Weights& out_;
};

Weights TimmWeights(const Model& model) {
  Weights out;
  const std::vector<TimmLayer> all = TimmNames(VersionOf(model.network));
  auto names = all.begin();
  for (const Layer& layer : model.network.layers) {
    if (!TraitsOf(layer.kind).weights) continue;
    const auto& weight = model.weights.at(layer.name + ".weight");
    const bool classifier = layer.kind == LayerKind::kFullyConnected;
    const std::string name = classifier ? "classifier" : names->layer;
    out[name + ".weight"] = Tensor::Of(ChannelsFirstShape(layer), ChannelsFirst(layer, weight.values));
    if (classifier) {
      out[name + ".bias"] = model.weights.at(layer.name + ".bias");
    } else {
      NormWriter(layer, model.weights, (names++)->norm, out).Write();
    }
  }
  return out;
}

void Save(const Model& model, const std::filesystem::path& path) {
  CheckNetwork(model.network);
  CheckWeights(model.network, model.weights);
  const std::optional<Recipe> recipe = RecipeOf(model.network);
  if (!recipe) Refuse(path.string(), "the network is a custom one, expected MobileNet V1 or V2");
  std::visit([&](const auto& options) { CheckOptions(options, path.string()); }, *recipe);
  const std::string_view architecture = ArchitectureOf(*recipe, path.string());
  CheckPadding(model.network, architecture, path.string());
  std::map<std::string, std::string> metadata = {{"format", "pt"}};
  for (auto& [key, value] : DescriptionOf(model, path.string()))
    metadata[Concat(kDescriptionPrefix, key)] = std::move(value);
  metadata[Concat(kDescriptionPrefix, kTimmArchitecture)] = architecture;
  metadata[Concat(kDescriptionPrefix, kTimmResolution)] =
      Concat("[", model.network.input.height, ",", model.network.input.width, "]");
  WriteSafetensors(path, metadata, TimmWeights(model));
}

}  // namespace

void SaveTimm(const Model& model, const std::filesystem::path& path) {
  OrOutOfMemory(path.native(), [&] { Save(model, path); });
}

}  // namespace mobilenet
