// convert --photos: the preprocessing that labelled photos tell.
#pragma once

#include <string>

#include "cli/command.h"

namespace mobilenet::cli {

// Finds it out from a folder or list of photos, puts it into the model and its provenance, and shows what was
// tried: as a table, or as the JSON that is returned. Photos that can't be read are reported, and make
// `status` kFailure.
nlohmann::ordered_json FindByPhotos(const std::string& data, int threads, bool json, Model& model,
                                    int& status);

}  // namespace mobilenet::cli
