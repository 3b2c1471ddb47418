// Which format a file has, by its content.
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "base/fail.h"
#include "base/file.h"
#include "base/signature.h"
#include "formats/foreign.h"
#include "formats/hdf5.h"
#include "formats/imagenet.h"
#include "formats/json_fields.h"
#include "formats/keras.h"
#include "formats/load.h"
#include "formats/model_file.h"
#include "formats/onnx.h"
#include "formats/tflite.h"
#include "formats/timm_v4.h"
#include "formats/torch_file.h"
#include "formats/torch_names.h"
#include "formats/torch_v3.h"
#include "formats/zip.h"

namespace mobilenet {

namespace {

// Weights under names that stand for a graph.
std::optional<Graph> ReadNamed(const Safetensors& file) {
  if (HasKerasNames(file)) return ReadKerasSafetensors(file);
  if (HasTorchvisionV3Names(file)) return ReadTorchvisionV3(file);
  if (HasTimmV3Names(file)) return ReadTimmV3(file);
  if (HasTorchvisionNames(file)) return ReadTorchvision(file);
  if (HasTimmNames(file)) return ReadTimm(file);
  if (HasTimmV4Names(file)) return ReadTimmV4(file);
  if (HasEfficientNetNames(file)) return ReadEfficientNetLite(file);
  return std::nullopt;
}

// What SaveTimm wrote about the model, without our prefix.
Safetensors DescriptionIn(const Safetensors& file) {
  Safetensors ours;
  ours.name = file.name;
  for (const auto& [key, value] : file.metadata) {
    if (key.starts_with(kDescriptionPrefix)) ours.metadata[key.substr(kDescriptionPrefix.size())] = value;
  }
  return ours;
}

Model ReadNamedModel(const Safetensors& file, Graph graph) {
  const Safetensors ours = DescriptionIn(file);
  const auto resolution = ours.metadata.find(std::string(kTimmResolution));
  if (resolution == ours.metadata.end()) return ToModel(graph);
  Fields fields(file.name + ": the metadata", {{kTimmResolution, ParseJson(resolution->second)}});
  fields.Read(kTimmResolution.data(), graph.resolution.emplace());
  graph.provenance.clear();  // of what was assumed
  Model model = ToModel(graph);
  model.provenance.erase("preprocessing");
  ReadDescription(ours, model);
  return model;
}

constexpr std::string_view kKnownNames =
    "names of Keras (no conv1/kernel), torchvision (no features.0.0.weight), timm (no conv_stem.weight) or "
    "EfficientNet-PyTorch (no _conv_stem.weight)";

Model ToModel(TorchFile file) {
  std::optional<Graph> graph = ReadNamed(file.tensors);
  if (!graph) {
    const auto& entries = file.tensors.entries;
    Fail(file.tensors.name, ": is a PyTorch checkpoint of ", entries.size(), " tensors, from ",
         entries.begin()->first, " to ", entries.rbegin()->first, ", but of no MobileNet under ",
         kKnownNames);
  }
  graph->provenance.merge(file.notes);
  return ToModel(*graph);
}

Model ParseArchive(std::span<const std::uint8_t> bytes, std::string_view name) {
  if constexpr (MOBILENET_READS_ZIP == 1) {
    const ZipArchive archive(bytes, name);
    if (IsTorchArchive(archive)) return ToModel(ReadTorchArchive(archive));
    if (archive.files().contains("model.weights.h5")) {
      const std::vector<std::uint8_t> config = archive.Read("config.json");
      const std::vector<std::uint8_t> weights = archive.Read("model.weights.h5");
      return ToModel(ReadKeras3(name, {reinterpret_cast<const char*>(config.data()), config.size()}, weights,
                                bytes.size()));
    }
  }
  FailForeign(bytes, name);
}

// Whether a file is the description of a TensorFlow.js model, whose weights lie beside it.
bool IsTfjs(std::span<const std::uint8_t> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return text.starts_with('{') && text.find("\"weightsManifest\"") != std::string_view::npos;
}

Model ParseTfjs(std::span<const std::uint8_t> bytes, std::string_view name,
                const std::filesystem::path* folder) {
  if (folder == nullptr)
    Fail(name, ": is a TensorFlow.js model, whose weights lie in files beside it: load it by its path");
  TfjsModel read = ReadTfjs(bytes, name, *folder);
  Model model = ToModel(read.graph);
  if (const auto classes = static_cast<std::size_t>(model.network.output().size());
      !read.labels.empty() && read.labels.size() != classes)
    Fail(folder->string(), ": its metadata.json has ", read.labels.size(), " labels, expected ", classes);
  model.labels = std::move(read.labels);
  return model;
}

// With the labels that the file has.
Model ParseFile(std::span<const std::uint8_t> bytes, std::shared_ptr<const void> owner, std::string_view name,
                const std::filesystem::path* folder) {
  if (LooksLikeTflite(bytes)) return ReadTflite(bytes, name);
  if (Hdf5::Recognises(bytes)) return ToModel(ReadKerasHdf5({bytes, name}));
  if (ZipArchive::Recognises(bytes)) return ParseArchive(bytes, name);
  if (IsTorchPickle(bytes)) return ToModel(ReadTorchPickle(bytes, std::move(owner), name));
  if (LooksLikeOnnx(bytes)) return ReadOnnx(bytes, name, folder);
  if (IsTfjs(bytes)) return ParseTfjs(bytes, name, folder);
  if (!LooksLikeSafetensors(bytes)) FailForeign(bytes, name);
  const Safetensors file = ParseSafetensors(bytes, std::move(owner), name);
  if (IsModelFile(file)) return ReadModel(file);
  if (std::optional<Graph> graph = ReadNamed(file)) return ReadNamedModel(file, *std::move(graph));
  if (file.metadata.contains("checkpoint_version")) {
    Fail(name,
         ": is the checkpoint of a training that is not finished, expected a model: the command that began "
         "it makes one with --resume");
  }
  Fail(name, ": is a safetensors file of ", file.entries.size(),
       " tensors, but neither one of ours (no format_version) nor MobileNet weights under ", kKnownNames);
}

}  // namespace

Model ParseModel(std::span<const std::uint8_t> bytes, std::shared_ptr<const void> owner,
                 std::string_view name, const std::filesystem::path* folder) {
  Model model = ParseFile(bytes, std::move(owner), name, folder);
  AssumeImagenetLabels(model);
  return model;
}

Model Model::Load(const std::filesystem::path& path, const LoadOptions& options) {
  return OrOutOfMemory(path.native(), [&] {
    std::error_code unknown;  // told when the file is opened
    if (std::filesystem::is_directory(path, unknown)) {
      // TensorFlow.js's, which hold the description.
      if (std::filesystem::is_regular_file(path / "model.json", unknown))
        return Load(path / "model.json", options);
      FailForeignFolder(path);
    }
    SharedBytes file = OpenFile(path, options.mapped);
    const std::filesystem::path folder = path.parent_path();
    Model model = ParseModel(file.bytes, std::move(file.owner), path.string(), &folder);
    model.provenance.try_emplace("source", path.filename().string());
    return model;
  });
}

Model Model::Parse(std::span<const std::uint8_t> bytes, std::string_view name) {
  return OrOutOfMemory(name, [&] {
    SharedBytes copy = SharedBytes::Of({bytes.begin(), bytes.end()});
    return ParseModel(copy.bytes, std::move(copy.owner), name);
  });
}

}  // namespace mobilenet
