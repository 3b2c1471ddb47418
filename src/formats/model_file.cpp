#include "formats/model_file.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "base/enum_names.h"
#include "base/fail.h"
#include "base/file.h"
#include "formats/json.h"

namespace mobilenet {
namespace {

using nlohmann::json;

constexpr std::string_view kFormatVersion = "1";

// The fields of one JSON object in the metadata. Each get fails by naming file, field, expected and found;
// Finish fails for a field that nobody asked for, which a newer version of the format may have written.
class Fields {
 public:
  Fields(const Safetensors& file, std::string name) : file_(file), name_(std::move(name)) {
    const auto found = file.metadata.find(name_);
    if (found == file.metadata.end()) Fail(file.name, ": the metadata ", name_, " is missing");
    object_ = ParseJson(found->second);
    if (!object_.is_object()) Fail(file.name, ": the metadata ", name_, " is not a JSON object");
  }

  double Number(const char* key) {
    const json& value = Get(key);
    if (!value.is_number()) Wrong(key, value, "a number");
    return value.get<double>();
  }

  int Integer(const char* key) {
    const json& value = Get(key);
    const bool fits = value.is_number_integer() && std::abs(value.get<double>()) < 1e9;
    if (!fits) Wrong(key, value, "a whole number");
    return value.get<int>();
  }

  bool Boolean(const char* key) {
    const json& value = Get(key);
    if (!value.is_boolean()) Wrong(key, value, "true or false");
    return value.get<bool>();
  }

  std::string Text(const char* key) {
    const json& value = Get(key);
    if (!value.is_string()) Wrong(key, value, "text");
    return value.get<std::string>();
  }

  // Enumerators are stored by the names that NameOf gives them: don't rename.
  template <typename Enum>
  Enum Choice(const char* key) {
    if (const std::optional<Enum> value = FromName<Enum>(Text(key))) return *value;
    std::string expected;
    for (const std::string& name : NamesOf<Enum>()) expected += (expected.empty() ? "" : " or ") + name;
    Wrong(key, Get(key), expected);
  }

  std::array<float, 3> Triple(const char* key) {
    const json& value = Get(key);
    std::array<float, 3> triple{};
    bool good = value.is_array() && value.size() == triple.size();
    for (std::size_t i = 0; good && i < triple.size(); ++i) {
      good = value[i].is_number() && std::isfinite(value[i].get<float>());
      if (good) triple[i] = value[i].get<float>();
    }
    if (!good) Wrong(key, value, "three finite numbers");
    return triple;
  }

  void Finish() const {
    for (const auto& [key, value] : object_.items()) {
      if (!seen_.contains(key)) Fail(file_.name, ": the metadata ", name_, " has the unknown field ", key);
    }
  }

 private:
  const json& Get(const char* key) {
    seen_.insert(key);
    const auto found = object_.find(key);
    if (found == object_.end()) Fail(file_.name, ": the metadata ", name_, " lacks the field ", key);
    return *found;
  }

  [[noreturn]] void Wrong(const char* key, const json& value, std::string_view expected) const {
    Fail(file_.name, ": the metadata ", name_, " has ", key, " = ", Shown(value), ", expected ", expected);
  }

  const Safetensors& file_;
  std::string name_;
  json object_;
  std::set<std::string, std::less<>> seen_;
};

json NetworkJson(const Network& network) {
  const NetworkOptions& o = network.options;
  return {{"version", network.version},         {"alpha", o.alpha},
          {"resolution", o.resolution},         {"classes", o.classes},
          {"input_channels", o.input_channels}, {"output_stride", o.output_stride},
          {"separable", o.separable},           {"shallow", o.shallow},
          {"padding", NameOf(o.padding)},       {"activation", NameOf(o.activation)},
          {"batch_norm", o.batch_norm},         {"epsilon", o.epsilon}};
}

Network ReadNetwork(const Safetensors& file) {
  Fields fields(file, "network");
  const std::string version = fields.Text("version");
  if (version != "v1") Fail(file.name, ": the network is of version ", version, ", expected v1");
  NetworkOptions o;
  o.alpha = fields.Number("alpha");
  o.resolution = fields.Integer("resolution");
  o.classes = fields.Integer("classes");
  o.input_channels = fields.Integer("input_channels");
  o.output_stride = fields.Integer("output_stride");
  o.separable = fields.Boolean("separable");
  o.shallow = fields.Boolean("shallow");
  o.padding = fields.Choice<PaddingStyle>("padding");
  o.activation = fields.Choice<Activation>("activation");
  o.batch_norm = fields.Boolean("batch_norm");
  o.epsilon = static_cast<float>(fields.Number("epsilon"));
  fields.Finish();
  return V1(o);
}

json PreprocessingJson(const Preprocessing& p) {
  return {{"mean", p.mean}, {"scale", p.scale},         {"order", NameOf(p.order)},
          {"crop", p.crop}, {"shape", NameOf(p.shape)}, {"filter", NameOf(p.filter)}};
}

Preprocessing ReadPreprocessing(const Safetensors& file) {
  Fields fields(file, "preprocessing");
  Preprocessing p;
  p.mean = fields.Triple("mean");
  p.scale = fields.Triple("scale");
  p.order = fields.Choice<ChannelOrder>("order");
  p.crop = static_cast<float>(fields.Number("crop"));
  p.shape = fields.Choice<CropShape>("shape");
  p.filter = fields.Choice<ResizeFilter>("filter");
  fields.Finish();
  InContext(file.name, [&] { CheckPreprocessing(p); });
  return p;
}

std::vector<std::string> ReadLabels(const Safetensors& file, int classes) {
  const auto found = file.metadata.find("labels");
  if (found == file.metadata.end()) return {};
  const json list = ParseJson(found->second);
  if (!list.is_array()) Fail(file.name, ": the metadata labels is not a JSON list");
  std::vector<std::string> labels;
  for (const json& label : list) {
    if (!label.is_string()) Fail(file.name, ": the metadata labels holds ", Shown(label), ", expected text");
    labels.push_back(label.get<std::string>());
  }
  if (!labels.empty() && labels.size() != static_cast<std::size_t>(classes)) {
    Fail(file.name, ": has ", labels.size(), " labels, expected ", classes, ", one for each class");
  }
  return labels;
}

std::map<std::string, std::string> ReadProvenance(const Safetensors& file) {
  const auto found = file.metadata.find("provenance");
  if (found == file.metadata.end()) return {};
  const json object = ParseJson(found->second);
  if (!object.is_object()) Fail(file.name, ": the metadata provenance is not a JSON object");
  std::map<std::string, std::string> provenance;
  for (const auto& [key, value] : object.items()) {
    provenance[key] = value.is_string() ? value.get<std::string>() : Shown(value);
  }
  return provenance;
}

// What ReadModel would refuse must not be written.
void CheckForSaving(const Model& model, const std::string& file) {
  const Network built = V1(model.network.options);
  const auto same = [](const Layer& a, const Layer& b) {
    return a.name == b.name && a.input == b.input && a.output == b.output && a.stride == b.stride;
  };
  if (!std::ranges::equal(built.layers, model.network.layers, same)) {
    Fail(file, ": can't be written: the network's layers are not those that its options describe");
  }
  const auto classes = static_cast<std::size_t>(model.network.options.classes);
  if (!model.labels.empty() && model.labels.size() != classes) {
    Fail(file, ": can't be written: the model has ", model.labels.size(), " labels, expected ", classes,
         ", one for each class");
  }
  for (const std::string& label : model.labels) {
    if (!IsUtf8(label)) Fail(file, ": can't be written: the label \"", label, "\" is not UTF-8");
  }
  InContext(file + ": can't be written", [&] { CheckPreprocessing(model.preprocessing); });
}

// The names of the weights that mix channels.
std::set<std::string, std::less<>> MixingWeights(const Network& network) {
  std::set<std::string, std::less<>> names;
  for (const Layer& layer : network.layers) {
    if (layer.kind != LayerKind::kDepthwise) names.insert(layer.name + ".weight");
  }
  return names;
}

void SaveModel(const Model& model, const std::filesystem::path& path, Precision precision) {
  CheckWeights(model.network, model.weights);
  CheckForSaving(model, path.string());
  if (precision == Precision::kInt8)
    Fail(path.string(), ": can't be written in int8, expected float32, bfloat16 or float16");
  std::map<std::string, std::string> metadata = {
      {"format_version", std::string(kFormatVersion)},
      {"network", DumpedStrictly(NetworkJson(model.network))},
      {"preprocessing", DumpedStrictly(PreprocessingJson(model.preprocessing))},
      {"provenance", Dumped(model.provenance)}};
  if (!model.labels.empty()) metadata["labels"] = DumpedStrictly(json(model.labels));
  const bool whole = precision == Precision::kFloat32;
  WriteSafetensors(path, metadata, model.weights,
                   whole ? std::set<std::string, std::less<>>() : MixingWeights(model.network), precision);
}

}  // namespace

bool IsModelFile(const Safetensors& file) { return file.metadata.contains("format_version"); }

Model ReadModel(const Safetensors& file) {
  if (!IsModelFile(file)) {
    Fail(file.name,
         ": is not a model file of ours: its metadata has no format_version (mobilenet convert makes one)");
  }
  const std::string& version = file.metadata.at("format_version");
  if (version != kFormatVersion) {
    Fail(file.name, ": has the format_version ", version, ", expected ", kFormatVersion,
         ": a newer program may have written it");
  }
  Model model;
  InContext(file.name, [&] {
    model.network = ReadNetwork(file);
    for (const auto& [name, entry] : file.entries) model.weights[name] = file.Floats(name);
    CheckWeights(model.network, model.weights);
  });
  model.preprocessing = ReadPreprocessing(file);
  model.labels = ReadLabels(file, model.network.options.classes);
  model.provenance = ReadProvenance(file);
  return model;
}

Model Model::LoadSafetensors(const std::filesystem::path& path, const LoadOptions& options) {
  return OrOutOfMemory(path.native(), [&] { return ReadModel(OpenSafetensors(path, options.mapped)); });
}

Model Model::ParseSafetensors(std::span<const std::uint8_t> bytes, std::string_view name) {
  return OrOutOfMemory(name, [&] {
    SharedBytes copy = SharedBytes::Of({bytes.begin(), bytes.end()});
    return ReadModel(mobilenet::ParseSafetensors(copy.bytes, std::move(copy.owner), name));
  });
}

void Model::Save(const std::filesystem::path& path, Precision precision) const {
  OrOutOfMemory(path.native(), [&] { SaveModel(*this, path, precision); });
}

std::string LabelOf(const std::vector<std::string>& labels, int index) {
  const bool labelled = index >= 0 && static_cast<std::size_t>(index) < labels.size();
  return labelled ? labels[static_cast<std::size_t>(index)] : std::to_string(index);
}

std::string Model::Label(int index) const { return LabelOf(labels, index); }

std::vector<std::string> LoadLabels(const std::filesystem::path& path, int classes) {
  std::vector<std::string> labels = ReadLines(path);
  while (!labels.empty() && labels.back().empty()) labels.pop_back();  // blank lines at the end
  const auto expected = static_cast<std::size_t>(classes);
  const bool background =
      !labels.empty() && (labels.front() == "background" || labels.front() == "Background");
  if (labels.size() == expected + 1 && background) labels.erase(labels.begin());
  if (labels.size() != expected) {
    Fail(path.string(), ": has ", labels.size(), " lines, expected ", classes, " labels, one for each class");
  }
  return labels;
}

}  // namespace mobilenet
