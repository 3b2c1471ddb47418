// Source: Keras 3's keras/src/saving/saving_lib.py and keras/src/utils/naming.py, for the groups' names.
#include "formats/keras_variables.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "base/fail.h"
#include "formats/json.h"

namespace mobilenet {
namespace {

using nlohmann::json;
using Layer = std::map<std::string, Tensor, std::less<>>;

constexpr int kMostNesting = 12;

// What a layer's variables are called, in their order. A batch norm may lack its gamma, or its beta.
std::vector<std::string> VariablesOf(std::string_view group, std::size_t count, bool gamma, bool beta) {
  if (group.starts_with("batch_normalization")) {
    std::vector<std::string> names;
    if (gamma) names.emplace_back("gamma");
    if (beta) names.emplace_back("beta");
    names.insert(names.end(), {"moving_mean", "moving_variance"});
    return names;
  }
  if (group.starts_with("normalization")) return {"mean", "variance", "count"};
  std::vector<std::string> names = {"kernel"};
  if (count > 1) names.emplace_back("bias");
  return names;
}

Layer Named(std::string_view file, std::string_view layer, const Layer& numbered,
            const std::vector<std::string>& names) {
  if (numbered.size() != names.size())
    Fail(file, ": the layer ", layer, " has ", numbered.size(), " variables, expected ", names.size());
  Layer named;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto found = numbered.find(std::to_string(i));
    if (found == numbered.end()) Fail(file, ": the layer ", layer, " lacks its variable ", i);
    named[names[i]] = found->second;
  }
  return named;
}

// "DepthwiseConv2D" -> "depthwise_conv2d", "ReLU" -> "re_lu".
std::string SnakeCase(std::string_view name) {
  const auto is = [&](std::size_t i, auto test) {
    return i < name.size() && test(static_cast<unsigned char>(name[i])) != 0;
  };
  const auto upper = [](int c) { return std::isupper(c); };
  const auto lower = [](int c) { return std::islower(c); };
  std::string snake;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (i > 0 && is(i, upper) && (is(i + 1, lower) || is(i - 1, lower))) snake += '_';
    snake += static_cast<char>(std::tolower(static_cast<unsigned char>(name[i])));
  }
  return snake;
}

// Names that are counted: "conv2d", "conv2d_1", ...
class Counted {
 public:
  std::string Next(const std::string& name) {
    const int number = numbers_[name]++;
    return number == 0 ? name : Concat(name, "_", number);
  }

 private:
  std::map<std::string, int> numbers_;
};

bool FlagOr(const json& object, const char* key, bool fallback) {
  return object.is_object() && object.contains(key) && object[key].is_boolean() ? object[key].get<bool>()
                                                                                : fallback;
}

class ConfigNames {
 public:
  ConfigNames(std::string_view file, const KerasWeights& numbered,
              const std::map<std::string, std::string>& names)
      : file_(file), numbered_(numbered), names_(names) {}

  // `group` is that of the model's layers, `prefix` the name of the outermost model within the whole.
  void Walk(const json& model, const std::string& group, const std::string& prefix, int nesting) {
    if (nesting == 0) Fail(file_, ": its models lie too deep in each other");
    if (!model.is_object() || !model.contains("config") || !model["config"].is_object() ||
        !model["config"].contains("layers") || !model["config"]["layers"].is_array())
      Fail(file_, ": its configuration is damaged: no list of layers in it");
    Counted counted;
    for (const json& layer : model["config"]["layers"]) {
      const std::string kind = TextOr(layer, "class_name", "");
      const json& config = layer.is_object() && layer.contains("config") ? layer["config"] : layer;
      const std::string name = TextOr(config, "name", TextOr(layer, "name", kind));
      const std::string place = group + counted.Next(SnakeCase(kind));
      if (kind == "Functional" || kind == "Model" || kind == "Sequential") {
        Walk(layer, place + "/layers/", prefix.empty() ? name + "/" : prefix, nesting - 1);
      } else {
        Take(kind, prefix + name, name, config, place + "/vars");
      }
    }
  }

  KerasWeights Take() { return std::move(named_); }

 private:
  // A layer of a kind that isn't known here is left out: who reads the configuration says so.
  void Take(const std::string& kind, const std::string& path, const std::string& name, const json& config,
            const std::string& group) {
    static constexpr std::array<std::string_view, 5> kKnown = {"Conv2D", "DepthwiseConv2D", "Dense",
                                                               "BatchNormalization", "Normalization"};
    if (std::ranges::find(kKnown, kind) == kKnown.end()) return;
    const auto found = numbered_.find(group);
    if (found == numbered_.end() || found->second.empty()) return;
    if (const auto told = names_.find(group); told != names_.end() && told->second != name)
      Fail(file_, ": the weights ", group, " are of the layer ", told->second,
           " by their name, but by their number of ", name);
    const std::vector<std::string> names = VariablesOf(
        SnakeCase(kind), found->second.size(), FlagOr(config, "scale", true), FlagOr(config, "center", true));
    named_[path] = Named(file_, name, found->second, names);
  }

  std::string file_;
  const KerasWeights& numbered_;
  const std::map<std::string, std::string>& names_;
  KerasWeights named_;
};

// keras.applications' names of MobileNet V1's layers in the order in which each class is counted.
std::map<std::string, std::string> V1Names() {
  std::map<std::string, std::string> names;
  Counted counted;
  const auto add = [&](const std::string& kind, const std::string& name) {
    names[Concat("layers/", counted.Next(kind), "/vars")] = name;
  };
  const auto add_with_norm = [&](const std::string& kind, const std::string& name) {
    add(kind, name);
    add("batch_normalization", name + "_bn");
  };
  add_with_norm("conv2d", "conv1");
  constexpr int kBlocks = 13;
  for (int block = 1; block <= kBlocks; ++block) {
    add_with_norm("depthwise_conv2d", Concat("conv_dw_", block));
    add_with_norm("conv2d", Concat("conv_pw_", block));
  }
  add("conv2d", "conv_preds");
  return names;
}

}  // namespace

KerasWeights NamedByConfig(std::string_view file, std::string_view config, const KerasWeights& numbered,
                           const std::map<std::string, std::string>& names) {
  ConfigNames by_config(file, numbered, names);
  by_config.Walk(ParseJson(config), "layers/", "", kMostNesting);
  return by_config.Take();
}

KerasWeights NamedByFile(std::string_view file, const KerasWeights& numbered,
                         const std::map<std::string, std::string>& names, std::string& assumed) {
  const bool told = !names.empty();
  if (!told)
    assumed = "the file numbers its weights and names none; keras.applications' MobileNet V1 was assumed";
  const std::map<std::string, std::string> usual = told ? std::map<std::string, std::string>() : V1Names();
  const std::map<std::string, std::string>& all = told ? names : usual;
  KerasWeights named;
  for (const auto& [group, layer] : numbered) {
    if (layer.empty()) continue;
    const auto name = all.find(group);
    if (name == all.end())
      Fail(file, ": the weights ", group, " belong to no layer of keras.applications' MobileNet V1");
    constexpr std::string_view kLayers = "layers/";  // of the innermost model
    const std::string kind = group.substr(group.rfind(kLayers) + kLayers.size());
    named[name->second] = Named(file, name->second, layer, VariablesOf(kind, layer.size(), true, true));
  }
  return named;
}

}  // namespace mobilenet
