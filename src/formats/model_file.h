// Our own model files: what the strings in a safetensors file's metadata say.
#pragma once

#include "formats/safetensors.h"
#include "mobilenet/model.h"

namespace mobilenet {

// Whether the file is one of ours: it carries a format_version.
bool IsModelFile(const Safetensors& file);

// Throws Error, naming the file and the field, for anything missing, unknown or out of range.
Model ReadModel(const Safetensors& file);

}  // namespace mobilenet
