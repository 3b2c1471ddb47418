#include "formats/model_file.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/enum_names.h"
#include "base/fail.h"
#include "base/file.h"
#include "formats/json_fields.h"
#include "formats/network_json.h"
#include "network/kinds.h"

namespace mobilenet {
namespace {

using nlohmann::json;

// 1 had a recipe of V1 in place of the layers, and is still read.
constexpr std::string_view kFormatVersion = "2";
constexpr std::string_view kFirstVersion = "1";

// A JSON value in the metadata.
json Metadata(const Safetensors& file, const std::string& name) {
  const auto found = file.metadata.find(name);
  if (found == file.metadata.end()) Fail(file.name, ": the metadata ", name, " is missing");
  return ParseJson(found->second);
}

Network ReadNetwork(const Safetensors& file) {
  const std::string where = file.name + ": the metadata network";
  const auto read = file.metadata.at("format_version") == kFirstVersion ? ReadRecipeOfV1 : ReadNetworkJson;
  return read(where, Metadata(file, "network"));
}

json PreprocessingJson(const Preprocessing& p) {
  return {{"mean", p.mean}, {"scale", p.scale},         {"order", NameOf(p.order)},
          {"crop", p.crop}, {"shape", NameOf(p.shape)}, {"filter", NameOf(p.filter)}};
}

Preprocessing ReadPreprocessing(const Safetensors& file) {
  Fields fields(file.name + ": the metadata preprocessing", Metadata(file, "preprocessing"));
  Preprocessing p;
  fields.Read("mean", p.mean);
  fields.Read("scale", p.scale);
  fields.Read("order", p.order);
  fields.Read("crop", p.crop);
  fields.Read("shape", p.shape);
  fields.Read("filter", p.filter);
  fields.Finish();
  InContext(file.name, [&] { CheckPreprocessing(p); });
  return p;
}

// Files that don't say so were made when there was a softmax alone.
Answers ReadAnswers(const Safetensors& file) {
  if (!file.metadata.contains("answers")) return Answers::kSoftmax;
  const json value = Metadata(file, "answers");
  const auto answers = value.is_string() ? FromName<Answers>(value.get<std::string>()) : std::nullopt;
  if (!answers)
    Fail(file.name, ": the metadata answers is ", Shown(value), ", expected \"softmax\" or \"sigmoid\"");
  return *answers;
}

std::vector<std::string> ReadLabels(const Safetensors& file, int classes) {
  const json list = Metadata(file, "labels");
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
  if (NameOf(model.answers).empty())
    Fail(file, ": can't be written: its answers are ", static_cast<int>(model.answers),
         ", which is none that there is");
  const auto classes = static_cast<std::size_t>(model.classes());
  if (!model.labels.empty() && model.labels.size() != classes) {
    Fail(file, ": can't be written: the model has ", model.labels.size(), " labels, expected ", classes,
         ", one for each class");
  }
  for (const Layer& layer : model.network.layers) {
    if (!IsUtf8(layer.name)) Fail(file, ": can't be written: the layer \"", layer.name, "\" is not UTF-8");
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
    if (TraitsOf(layer.kind).mixes) names.insert(layer.name + ".weight");
  }
  return names;
}

void SaveModel(const Model& model, const std::filesystem::path& path, Precision precision) {
  CheckWeights(model.network, model.weights);
  std::map<std::string, std::string> metadata = DescriptionOf(model, path.string());
  if (precision == Precision::kInt8)
    Fail(path.string(), ": can't be written in int8, expected float32, bfloat16 or float16");
  metadata.emplace("format_version", kFormatVersion);
  metadata["network"] = DumpedStrictly(NetworkJson(model.network));
  const bool whole = precision == Precision::kFloat32;
  WriteSafetensors(path, metadata, model.weights,
                   whole ? std::set<std::string, std::less<>>() : MixingWeights(model.network), precision);
}

}  // namespace

std::map<std::string, std::string> DescriptionOf(const Model& model, const std::string& path) {
  CheckForSaving(model, path);
  std::map<std::string, std::string> metadata = {
      {"preprocessing", DumpedStrictly(PreprocessingJson(model.preprocessing))},
      {"provenance", Dumped(model.provenance)}};
  if (model.answers != Answers::kSoftmax) metadata["answers"] = DumpedStrictly(json(NameOf(model.answers)));
  if (!model.labels.empty()) metadata["labels"] = DumpedStrictly(json(model.labels));
  return metadata;
}

void ReadDescription(const Safetensors& file, Model& model) {
  if (file.metadata.contains("preprocessing")) model.preprocessing = ReadPreprocessing(file);
  if (file.metadata.contains("answers")) model.answers = ReadAnswers(file);
  if (file.metadata.contains("labels")) model.labels = ReadLabels(file, model.classes());
  model.provenance.merge(ReadProvenance(file));
}

bool IsModelFile(const Safetensors& file) { return file.metadata.contains("format_version"); }

Model ReadModel(const Safetensors& file) {
  if (!IsModelFile(file)) {
    Fail(file.name,
         ": is not a model file of ours: its metadata has no format_version (mobilenet convert makes one)");
  }
  const std::string& version = file.metadata.at("format_version");
  if (version != kFormatVersion && version != kFirstVersion) {
    Fail(file.name, ": has the format_version ", version, ", expected 1 or ", kFormatVersion,
         ": a newer program may have written it");
  }
  Model model;
  model.network = ReadNetwork(file);
  InContext(file.name, [&] {
    for (const auto& [name, entry] : file.entries) model.weights[name] = file.Floats(name);
    CheckWeights(model.network, model.weights);
  });
  Metadata(file, "preprocessing");  // must be there
  ReadDescription(file, model);
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

namespace {

std::vector<std::string> LabelsIn(const std::filesystem::path& path, int classes) {
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

}  // namespace

std::vector<std::string> LoadLabels(const std::filesystem::path& path, int classes) {
  return OrOutOfMemory(path.native(), [&] { return LabelsIn(path, classes); });
}

}  // namespace mobilenet
