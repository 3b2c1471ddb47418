// PyTorch's checkpoints (.pth, .pt, .bin): state dictionaries, alone or beside other things of a training.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "formats/safetensors.h"

namespace mobilenet {

// Whether the bytes are a checkpoint of the old kind: pickles one after the other, and then the storages.
bool IsTorchPickle(std::span<const std::uint8_t> bytes);

// Whether a ZIP archive is one of PyTorch's.
class ZipArchive;
bool IsTorchArchive(const ZipArchive& archive);

// A checkpoint's state dictionary. `notes` say for the provenance where in the file it stood, and what else
// was there.
struct TorchFile {
  Safetensors tensors;
  std::map<std::string, std::string> notes;
};

// `bytes` need not outlive what is returned for an archive; `owner` keeps them alive for the other. Throws
// Error for damage, for what no state dictionary is in, and for pickles that name anything but tensors and
// containers.
TorchFile ReadTorchArchive(const ZipArchive& archive);
TorchFile ReadTorchPickle(std::span<const std::uint8_t> bytes, std::shared_ptr<const void> owner,
                          std::string_view name);

}  // namespace mobilenet
