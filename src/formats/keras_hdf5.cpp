// Keras .h5: the model's configuration and every dataset below its weights.
#include <utility>

#include "base/fail.h"
#include "formats/hdf5.h"
#include "formats/keras.h"

namespace mobilenet {
namespace {

constexpr int kMaxDepth = 8;
constexpr int kMaxObjects = 10'000;

// Walks a group whose datasets are weights of `layer`. Keras repeats the layer's name in nested groups:
// conv1/conv1/kernel:0 is the kernel of conv1.
void Collect(const Hdf5& file, Hdf5::Address group, const std::string& layer, int depth, int& objects,
             KerasWeights& weights) {
  if (depth == 0) return;
  for (const auto& [name, child] : file.Children(group)) {
    if (--objects < 0)
      Fail(file.name(), ": has more than ", kMaxObjects, " objects, or groups that hold themselves");
    if (!file.IsDataset(child)) {
      Collect(file, child, layer.empty() ? name : layer, depth - 1, objects, weights);
    } else if (!layer.empty()) {
      weights[layer][name.substr(0, name.find(':'))] = file.Floats(child, Concat(layer, "/", name));
    }
  }
}

}  // namespace

ImportedNetwork ReadKerasHdf5(std::span<const std::uint8_t> bytes, std::string_view name) {
  const Hdf5 file(bytes, name);
  const auto root = file.Children(file.root());
  const auto nested = root.find("model_weights");
  KerasWeights weights;
  int objects = kMaxObjects;
  Collect(file, nested == root.end() ? file.root() : nested->second, "", kMaxDepth, objects, weights);
  const std::string config = file.Text(file.root(), "model_config");
  return config.empty() ? FromKerasNames(name, weights) : FromKerasConfig(name, config, weights);
}

}  // namespace mobilenet
