// Keras 3's own files of weights: groups numbered by class, "layers/conv2d_3/vars/0", in the order of the
// model's configuration, with the variables of each layer numbered, too.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "formats/keras.h"

namespace mobilenet {

// The weights as KerasWeights of files that use names. `names` are what the file calls the layers of some
// groups, where it does (Keras since 3.10 or so): they must be those of the configuration. Throws Error,
// naming the layer, where a group doesn't fit its layer.
KerasWeights NamedByConfig(std::string_view file, std::string_view config, const KerasWeights& numbered,
                           const std::map<std::string, std::string>& names);

// The same without a configuration: by the file's names, if it has them, or as keras.applications' MobileNet
// V1 is numbered, which `assumed` then says.
KerasWeights NamedByFile(std::string_view file, const KerasWeights& numbered,
                         const std::map<std::string, std::string>& names, std::string& assumed);

}  // namespace mobilenet
