// Writing safetensors with timm's names, for timm's own MobileNets.
#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/fail.h"
#include "formats/model_file.h"
#include "formats/safetensors.h"
#include "formats/timm_names.h"
#include "formats/torch_layout.h"
#include "formats/torch_names.h"
#include "mobilenet/interchange.h"
#include "network/kinds.h"
#include "network/shapes.h"

namespace mobilenet {
namespace {

// What timm.create_model calls them. Names that begin with "tf_" are of networks that TensorFlow trained:
// padded as it does, with its epsilon.
struct Architecture {
  std::string_view version;
  double alpha;
  std::string_view name;
};
constexpr std::array kArchitectures = {
    Architecture{"v1", 1, "mobilenetv1_100"},
    Architecture{"v2", 0.35, "mobilenetv2_035"},
    Architecture{"v2", 0.5, "mobilenetv2_050"},
    Architecture{"v2", 0.75, "mobilenetv2_075"},
    Architecture{"v2", 1, "mobilenetv2_100"},
    Architecture{"v2", 1.4, "mobilenetv2_140"},
    Architecture{"v3-large", 0.75, "mobilenetv3_large_075"},
    Architecture{"v3-large", 1, "mobilenetv3_large_100"},
    Architecture{"v3-small", 0.5, "mobilenetv3_small_050"},
    Architecture{"v3-small", 0.75, "mobilenetv3_small_075"},
    Architecture{"v3-small", 1, "mobilenetv3_small_100"},
    Architecture{"v3-large", 0.75, "tf_mobilenetv3_large_075"},
    Architecture{"v3-large", 1, "tf_mobilenetv3_large_100"},
    Architecture{"v3-small", 0.75, "tf_mobilenetv3_small_075"},
    Architecture{"v3-small", 1, "tf_mobilenetv3_small_100"},
    Architecture{"v3-large-minimalistic", 1, "tf_mobilenetv3_large_minimal_100"},
    Architecture{"v3-small-minimalistic", 1, "tf_mobilenetv3_small_minimal_100"},
    Architecture{"v4-conv-small", 0.35, "mobilenetv4_conv_small_035"},
    Architecture{"v4-conv-small", 0.5, "mobilenetv4_conv_small_050"},
    Architecture{"v4-conv-small", 1, "mobilenetv4_conv_small"},
    Architecture{"v4-conv-medium", 1, "mobilenetv4_conv_medium"},
    Architecture{"v4-conv-large", 1, "mobilenetv4_conv_large"},
};

double EpsilonOf(std::string_view architecture) { return IsOfTensorFlow(architecture) ? 1e-3 : 1e-5; }

template <typename... Parts>
[[noreturn]] void Refuse(const std::string& path, const Parts&... parts) {
  Fail(path, ": can't be written with timm's names: ", parts...);
}

Activation ActivationOf(const V3Options& /*options*/) { return Activation::kHardSwish; }
template <typename Options>
Activation ActivationOf(const Options& options) {
  return options.activation;
}

void CheckOptions(const Recipe& recipe, const std::string& path) {
  const auto check = [&](const auto& options) {
    using Options = std::decay_t<decltype(options)>;
    if constexpr (std::is_same_v<Options, V1Options>) {
      if (!options.separable || options.shallow)
        Refuse(path, "timm's MobileNet V1 is separable and not shallow");
    }
    if (options.output_stride != 32)
      Refuse(path, "the output stride is ", options.output_stride, ", expected 32");
    const Activation expected = ActivationOf(Options{});
    if (ActivationOf(options) != expected)
      Refuse(path, "the activation is ", NameOf(ActivationOf(options)), ", expected ", NameOf(expected));
  };
  std::visit(check, recipe);
}

bool IsPadded(const Network& network, PaddingStyle style) {
  return std::ranges::all_of(network.layers, [&](const Layer& layer) {
    return !TraitsOf(layer.kind).window || IsPaddedAs(style, layer);
  });
}

std::string ListOfNames() {
  std::string names;
  for (const Architecture& a : kArchitectures) names += Concat(names.empty() ? "" : ", ", a.name);
  return names;
}

// timm's network of that recipe. Where all maps have odd sides both paddings are the same: then the recipe's
// word counts.
std::string_view ArchitectureOf(const Recipe& recipe, const Network& network, const std::string& path) {
  const auto [alpha, padding] =
      std::visit([](const auto& options) { return std::pair(options.alpha, options.padding); }, recipe);
  const Architecture* near = nullptr;
  const Architecture* fits = nullptr;
  for (const Architecture& a : kArchitectures) {
    if (a.version != NameOf(recipe) || a.alpha != alpha) continue;
    near = &a;
    const PaddingStyle style = IsOfTensorFlow(a.name) ? PaddingStyle::kSame : PaddingStyle::kSymmetric;
    if (IsPadded(network, style) && (fits == nullptr || style == padding)) fits = &a;
  }
  if (fits != nullptr) return fits->name;
  if (near == nullptr)
    Refuse(path, "timm has no MobileNet ", NameOf(recipe), " of alpha ", alpha, ", expected one of ",
           ListOfNames());
  if (IsOfTensorFlow(near->name))
    Refuse(path, "the network is not padded as TensorFlow does, and timm's ", near->name,
           " is, which is another network");
  Refuse(
      path, "the network is padded as TensorFlow does, and timm's ", near->name,
      " is symmetric, which is another network; timm has it by pad_type=\"same\", which weights can't tell");
}

// Where alpha is not 1 there are other V3s.
void CheckWidths(const Recipe& recipe, const Network& network, std::string_view architecture,
                 const std::string& path) {
  const auto* options = std::get_if<V3Options>(&recipe);
  if (options == nullptr) return;
  V3Options timms = *options;
  timms.widths = V3Widths::kTimm;
  if (V3(timms).layers != network.layers)
    Refuse(path, "the widths are those of ", NameOf(options->widths), ", and timm's ", architecture,
           " has others");
}

// The numbers of a batch norm; of a layer whose batch norm was folded, those of one that only adds the bias.
class NormWriter {
 public:
  NormWriter(const Layer& layer, const Weights& weights, double epsilon, const std::string& name,
             Weights& out)
      : layer_(layer), weights_(weights), epsilon_(epsilon), name_(name), out_(out) {}

  void Write() {
    if (layer_.batch_norm) return Copy();
    const auto channels = static_cast<std::size_t>(layer_.output.channels);
    Put(".weight", std::vector<float>(channels, static_cast<float>(std::sqrt(1 + epsilon_))));
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
    const double more = double{layer_.epsilon} - double{static_cast<float>(epsilon_)};
    for (float& value : variance) value = static_cast<float>(value + more);
    Put(".running_var", std::move(variance));
  }

  const Layer& layer_;
  const Weights& weights_;
  double epsilon_;
  const std::string& name_;
  Weights& out_;
};

// timm has convolutions of 1 x 1 where we have fully connected layers, but for the classifier.
std::vector<std::int64_t> TimmShape(const Layer& layer, const std::string& name) {
  std::vector<std::int64_t> shape = ChannelsFirstShape(layer);
  if (layer.kind == LayerKind::kFullyConnected && name != "classifier") shape.resize(4, 1);
  return shape;
}

Weights TimmWeights(const Model& model, const Recipe& recipe, double epsilon) {
  Weights out;
  const std::vector<TimmLayer> names = TimmNames(recipe);
  auto name = names.begin();
  for (const Layer& layer : model.network.layers) {
    if (!TraitsOf(layer.kind).weights) continue;
    const auto& weight = model.weights.at(layer.name + ".weight");
    out[name->layer + ".weight"] =
        Tensor::Of(TimmShape(layer, name->layer), ChannelsFirst(layer, weight.values));
    if (name->norm.empty()) {
      out[name->layer + ".bias"] = model.weights.at(layer.name + ".bias");
    } else {
      NormWriter(layer, model.weights, epsilon, name->norm, out).Write();
    }
    ++name;
  }
  return out;
}

void Save(const Model& model, const std::filesystem::path& path) {
  CheckNetwork(model.network);
  CheckWeights(model.network, model.weights);
  const std::optional<Recipe> recipe = RecipeOf(model.network);
  if (!recipe) Refuse(path.string(), "the network is a custom one, expected one of ", ListOfNames());
  CheckOptions(*recipe, path.string());
  const std::string_view architecture = ArchitectureOf(*recipe, model.network, path.string());
  CheckWidths(*recipe, model.network, architecture, path.string());
  std::map<std::string, std::string> metadata = {{"format", "pt"}};
  for (auto& [key, value] : DescriptionOf(model, path.string()))
    metadata[Concat(kDescriptionPrefix, key)] = std::move(value);
  metadata[Concat(kDescriptionPrefix, kTimmArchitecture)] = architecture;
  metadata[Concat(kDescriptionPrefix, kTimmResolution)] =
      Concat("[", model.network.input.height, ",", model.network.input.width, "]");
  WriteSafetensors(path, metadata, TimmWeights(model, *recipe, EpsilonOf(architecture)));
}

}  // namespace

void SaveTimm(const Model& model, const std::filesystem::path& path) {
  OrOutOfMemory(path.native(), [&] { Save(model, path); });
}

}  // namespace mobilenet
