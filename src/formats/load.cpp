// Which format a file has, by its content.
#include <memory>
#include <system_error>
#include <utility>

#include "base/fail.h"
#include "base/file.h"
#include "base/signature.h"
#include "formats/foreign.h"
#include "formats/hdf5.h"
#include "formats/imagenet.h"
#include "formats/keras.h"
#include "formats/load.h"
#include "formats/model_file.h"
#include "formats/onnx.h"
#include "formats/tflite.h"
#include "formats/torch_names.h"

namespace mobilenet {

namespace {

// With the labels that the file has.
Model ParseFile(std::span<const std::uint8_t> bytes, std::shared_ptr<const void> owner, std::string_view name,
                const std::filesystem::path* folder) {
  if (IsTflite(bytes)) return ToModel(ReadTflite(bytes, name));
  if (Hdf5::Recognises(bytes)) return ToModel(ReadKerasHdf5(bytes, name));
  if (LooksLikeOnnx(bytes)) return ReadOnnx(bytes, name, folder);
  if (!LooksLikeSafetensors(bytes)) FailForeign(bytes, name);
  const Safetensors file = ParseSafetensors(bytes, std::move(owner), name);
  if (IsModelFile(file)) return ReadModel(file);
  if (HasKerasNames(file)) return ToModel(ReadKerasSafetensors(file));
  if (HasTorchvisionNames(file)) return ToModel(ReadTorchvision(file));
  if (HasTimmNames(file)) return ToModel(ReadTimm(file));
  if (file.metadata.contains("checkpoint_version")) {
    Fail(name,
         ": is the checkpoint of a training that is not finished, expected a model: the command that began "
         "it makes one with --resume");
  }
  Fail(
      name, ": is a safetensors file of ", file.entries.size(),
      " tensors, but neither one of ours (no format_version) nor MobileNet weights under "
      "names of Keras (no conv1/kernel), torchvision (no features.0.0.weight) or timm (no conv_stem.weight)");
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
    if (std::filesystem::is_directory(path, unknown)) FailForeignFolder(path);
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
