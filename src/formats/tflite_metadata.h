// What TensorFlow Lite files say of their models besides the network: what Android's tools read, and what we
// do.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/safetensors.h"
#include "formats/tflite_generated.h"
#include "mobilenet/model.h"

namespace mobilenet {

// The name of the list of labels in a file's archive.
constexpr std::string_view kTfliteLabels = "labels.txt";

// The flatbuffer that stands in a file under "TFLITE_METADATA". `takes_pixels`: the file normalises them
// itself.
std::vector<std::uint8_t> TfliteMetadataOf(const Model& model, bool takes_pixels);

// What SaveTflite says besides, by its name in the file's metadata. Throws Error, naming `path`, where it
// could not be read again.
std::map<std::string, std::string> TfliteEntriesOf(const Model& model, const std::string& path);

// What of it is there, as ReadDescription takes it; nothing in other people's files.
Safetensors TfliteDescription(const tflite::Model& file, std::string_view name);

// The text files that the metadata says are in the archive at the file's end, labels for the most part;
// nothing where there is no metadata, or other than is known.
std::vector<std::string> TfliteTexts(const tflite::Model& file);

// The style of padding that the description has. Throws Error for one that there is not.
std::optional<PaddingStyle> TflitePadding(const Safetensors& description);

}  // namespace mobilenet
