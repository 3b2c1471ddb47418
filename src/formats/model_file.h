// Our own model files: what the strings in a safetensors file's metadata say.
#pragma once

#include "formats/safetensors.h"
#include "mobilenet/model.h"

namespace mobilenet {

// Whether the file is one of ours: it carries a format_version.
bool IsModelFile(const Safetensors& file);

// Throws Error, naming the file and the field, for anything missing, unknown or out of range.
Model ReadModel(const Safetensors& file);

// Before the names of what our own files of other formats say in their metadata.
constexpr std::string_view kDescriptionPrefix = "mobilenet.";

// What the metadata says of a model besides its network, which other formats carry, too: preprocessing,
// answers, labels and provenance. Throws Error, naming `path`, where it could not be read again.
std::map<std::string, std::string> DescriptionOf(const Model& model, const std::string& path);

// Reads of what DescriptionOf made what is there; what is not stays as it is. Throws Error as ReadModel does.
void ReadDescription(const Safetensors& file, Model& model);

}  // namespace mobilenet
