// Which format a file has, by its content.
#include <array>
#include <cstring>
#include <memory>

#include "base/fail.h"
#include "base/file.h"
#include "formats/keras.h"
#include "formats/load.h"
#include "formats/model_file.h"
#include "formats/tflite.h"

namespace mobilenet {
namespace {

bool IsHdf5(std::span<const std::uint8_t> bytes) {
  constexpr std::array<std::uint8_t, 8> kSignature = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1A, '\n'};
  return bytes.size() >= kSignature.size() &&
         std::memcmp(bytes.data(), kSignature.data(), kSignature.size()) == 0;
}

}  // namespace

Model ParseModel(std::span<const std::uint8_t> bytes, std::shared_ptr<const void> owner,
                 std::string_view name) {
  if (IsTflite(bytes)) return Recognise(ReadTflite(bytes, name));
  if (IsHdf5(bytes)) return Recognise(ReadKerasHdf5(bytes, name));
  const Safetensors file = ParseSafetensors(bytes, std::move(owner), name);
  if (IsModelFile(file)) return ReadModel(file);
  if (HasKerasNames(file)) return Recognise(ReadKerasSafetensors(file));
  Fail(name, ": is a safetensors file of ", file.entries.size(),
       " tensors, but neither one of ours (no format_version) nor Keras-named MobileNet V1 weights (no "
       "conv1/kernel)");
}

Model Model::Load(const std::filesystem::path& path) {
  auto mapped = std::make_shared<const MappedFile>(path);
  const auto bytes = mapped->bytes();
  Model model = ParseModel(bytes, std::move(mapped), path.string());
  model.provenance.try_emplace("source", path.filename().string());
  return model;
}

}  // namespace mobilenet
