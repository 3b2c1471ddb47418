// TensorFlow.js layers models: a Keras configuration in JSON, and one or more files of weights, one tensor
// after the other. (Its graph models are TensorFlow's operators, and not read.)
#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/fail.h"
#include "base/file.h"
#include "base/float16.h"
#include "formats/json.h"
#include "formats/keras.h"

namespace mobilenet {
namespace {

using nlohmann::json;

// Weights as a manifest describes them, read from the files that it names.
class ManifestReader {
 public:
  ManifestReader(std::string_view file, std::filesystem::path folder)
      : file_(file), folder_(std::move(folder)) {}

  KerasWeights Read(const json& manifest) {
    if (!manifest.is_array()) Fail(file_, ": its weightsManifest is ", Shown(manifest), ", expected a list");
    for (const json& group : manifest) {
      if (!group.is_object() || !group.contains("paths") || !group["paths"].is_array() ||
          !group.contains("weights") || !group["weights"].is_array())
        Fail(file_, ": a group of its weightsManifest lacks paths or weights");
      ReadFiles(group["paths"]);
      for (const json& weight : group["weights"]) Add(weight);
      if (position_ != bytes_.size())
        Fail(file_, ": its files of weights have ", bytes_.size() - position_,
             " bytes more than its weights take");
    }
    return std::move(weights_);
  }

 private:
  // All files of a group as one.
  void ReadFiles(const json& paths) {
    bytes_.clear();
    position_ = 0;
    for (const json& path : paths) {
      if (!path.is_string()) Fail(file_, ": names ", Shown(path), " for a file of weights");
      const std::filesystem::path name = path.get<std::string>();
      // Only what lies beside the description belongs to it.
      if (name != name.filename())
        Fail(file_, ": names a file of weights outside of its folder, ", Shown(path));
      const std::vector<std::uint8_t> part = ReadFile(folder_ / name);
      bytes_.insert(bytes_.end(), part.begin(), part.end());
    }
  }

  void Add(const json& weight) {
    if (!weight.is_object() || !weight.contains("name") || !weight["name"].is_string() ||
        !weight.contains("shape") || !weight["shape"].is_array() || !weight.contains("dtype"))
      Fail(file_, ": a weight of its manifest lacks its name, shape or dtype");
    const std::string name = weight["name"].get<std::string>();
    const auto slash = name.rfind('/');
    if (slash == std::string::npos)
      Fail(file_, ": the weight ", Shown(weight["name"]), " is not named layer/weight");
    std::vector<std::int64_t> shape;
    std::uint64_t count = 1;
    for (const json& size : weight["shape"]) {
      const bool fits = size.is_number_unsigned() && size.get<std::uint64_t>() <= bytes_.size() &&
                        (size == 0 || count <= bytes_.size() / size.get<std::uint64_t>());
      if (!fits)
        Fail(file_, ": the weight ", name, " of shape ", Shown(weight["shape"]), " is larger than its file");
      shape.push_back(size.get<std::int64_t>());
      count *= size.get<std::uint64_t>();
    }
    weights_[name.substr(0, slash)][name.substr(slash + 1)] =
        Tensor::Of(std::move(shape), Values(weight, name, static_cast<std::size_t>(count)));
  }

  // Floats, or numbers of 8 or 16 bits that a scale and a least value make floats of.
  std::vector<float> Values(const json& weight, const std::string& name, std::size_t count) {
    if (!weight.contains("quantization")) {
      if (weight["dtype"] != "float32")
        Fail(file_, ": the weight ", name, " has the dtype ", Shown(weight["dtype"]), ", expected float32");
      std::vector<float> values(count);
      std::memcpy(values.data(), Take(name, count * sizeof(float)), count * sizeof(float));
      return values;
    }
    const json& quantization = weight["quantization"];
    const std::string type = quantization.is_object() ? quantization.value("dtype", "") : "";
    if (type != "uint8" && type != "uint16" && type != "float16")
      Fail(file_, ": the weight ", name, " has the quantization ", Shown(quantization),
           ", expected uint8, uint16 or float16");
    const std::size_t unit = type == "uint8" ? 1 : 2;
    const std::uint8_t* bytes = Take(name, count * unit);
    const double scale = type == "float16" ? 0 : quantization.at("scale").get<double>();
    const double least = type == "float16" ? 0 : quantization.at("min").get<double>();
    std::vector<float> values;
    values.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      const auto bits =
          static_cast<std::uint16_t>(unit == 1 ? bytes[i] : bytes[2 * i] | bytes[2 * i + 1] << 8);
      values.push_back(type == "float16" ? FromF16(bits) : static_cast<float>(bits * scale + least));
    }
    return values;
  }

  const std::uint8_t* Take(const std::string& name, std::size_t size) {
    if (size > bytes_.size() - position_)
      Fail(file_, ": its files of weights end before ", name, ", which takes ", size, " bytes, found ",
           bytes_.size() - position_);
    const std::uint8_t* taken = bytes_.data() + position_;
    position_ += size;
    return taken;
  }

  std::string file_;
  std::filesystem::path folder_;
  std::vector<std::uint8_t> bytes_;
  std::size_t position_ = 0;
  KerasWeights weights_;
};

json ObjectOf(std::span<const std::uint8_t> bytes, std::string_view name) {
  json root = ParseJson({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  if (!root.is_object()) Fail(name, ": is damaged: no JSON object");
  return root;
}

// Teachable Machine's, beside the model.
std::vector<std::string> LabelsIn(const std::filesystem::path& folder) {
  const std::filesystem::path metadata = folder / "metadata.json";
  std::error_code unknown;
  if (!std::filesystem::is_regular_file(metadata, unknown)) return {};
  const json root = ObjectOf(ReadFile(metadata), metadata.string());
  std::vector<std::string> labels;
  if (!root.contains("labels") || !root["labels"].is_array()) return labels;
  for (const json& label : root["labels"]) {
    if (!label.is_string()) Fail(metadata.string(), ": has the label ", Shown(label), ", expected text");
    labels.push_back(label.get<std::string>());
  }
  return labels;
}

}  // namespace

TfjsModel ReadTfjs(std::span<const std::uint8_t> bytes, std::string_view name,
                   const std::filesystem::path& folder) {
  const json root = ObjectOf(bytes, name);
  if (!root.contains("modelTopology") || !root.contains("weightsManifest"))
    Fail(name, ": lacks the modelTopology or the weightsManifest of a TensorFlow.js model");
  const json& topology = root["modelTopology"];
  if (topology.is_object() && topology.contains("node"))
    Fail(name, ": is a TensorFlow.js graph model, which is not read; expected a layers model");
  const bool wrapped = topology.is_object() && topology.contains("model_config");
  const json& config = wrapped ? topology["model_config"] : topology;
  TfjsModel model;
  try {
    const KerasWeights weights = ManifestReader(name, folder).Read(root["weightsManifest"]);
    model.graph = FromKerasConfig(name, config.dump(), weights);
  } catch (const json::exception& error) {
    Fail(name, ": is damaged: ", error.what());
  }
  model.graph.format = "TensorFlow.js";
  model.labels = LabelsIn(folder);
  return model;
}

}  // namespace mobilenet
