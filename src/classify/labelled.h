// Labelled pictures, as they are classified.
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "mobilenet/classifier.h"

namespace mobilenet {

// Throws Error where the network has no classifier.
void CheckClassifies(const Network& network);

// Their files, in order. Throws Error for a label that is no class of the model.
std::vector<std::filesystem::path> FilesOf(const Model& model, std::span<const Sample> samples);

}  // namespace mobilenet
