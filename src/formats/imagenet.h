// The names of ImageNet's classes, for models whose files have none.
#pragma once

#include <optional>
#include <string_view>

#include "mobilenet/model.h"

namespace mobilenet {

// Gives a model without labels those of ImageNet if it looks like one of ImageNet: RGB in, and 1000 classes
// out or 1001 with "background" as the first. That it is one is an assumption, which the provenance tells
// under "labels" (Model::LabelsAreAssumed).
void AssumeImagenetLabels(Model& model);

// The class of a WordNet id such as "n02123159", as the folders of ImageNet are named; none where the text is
// no id of a class of ImageNet, or the model's labels are not ImageNet's.
std::optional<int> ClassOfWordnetId(std::string_view id, const Model& model);

}  // namespace mobilenet
