// Keras .h5: the model's configuration and every dataset below its weights.
#include <utility>

#include "base/fail.h"
#include "formats/hdf5.h"
#include "formats/keras.h"

namespace mobilenet {
namespace {

constexpr int kMaxDepth = 12;
constexpr int kMaxObjects = 10'000;

class Collector {
 public:
  Collector(const Hdf5& file, std::size_t bytes) : file_(file), values_(bytes / sizeof(float)) {}

  // Walks a group, `path` from the top, whose datasets are weights.
  void Walk(Hdf5::Address group, const std::string& path, int depth) {
    if (depth == 0) return;
    for (const auto& [name, child] : file_.Children(group)) {
      if (--objects_ < 0)
        Fail(file_.name(), ": has more than ", kMaxObjects, " objects, or groups that hold themselves");
      if (name.substr(0, name.find(':')) == "count") continue;  // of pictures that a Normalization has seen
      const std::string inner = path.empty() ? name : Concat(path, "/", name);
      if (!file_.IsDataset(child)) {
        Walk(child, inner, depth - 1);
      } else if (!path.empty()) {
        weights_[path][name.substr(0, name.find(':'))] = Read(child, inner);
      }
    }
  }

  KerasWeights Take() { return std::move(weights_); }

 private:
  // All weights together take no more than the file, or some are read many times over.
  Tensor Read(Hdf5::Address dataset, const std::string& path) {
    Tensor tensor = file_.Floats(dataset, path);
    if (tensor.values.size() > values_)
      Fail(file_.name(), ": its groups hold the same weights many times, such as ", path);
    values_ -= tensor.values.size();
    return tensor;
  }

  const Hdf5& file_;
  std::size_t values_;  // that may still come
  int objects_ = kMaxObjects;
  KerasWeights weights_;
};

}  // namespace

Graph ReadKerasHdf5(std::span<const std::uint8_t> bytes, std::string_view name) {
  const Hdf5 file(bytes, name);
  const auto root = file.Children(file.root());
  const auto nested = root.find("model_weights");
  Collector collector(file, bytes.size());
  collector.Walk(nested == root.end() ? file.root() : nested->second, "", kMaxDepth);
  const KerasWeights weights = collector.Take();
  const std::string config = file.Text(file.root(), "model_config");
  return config.empty() ? FromKerasNames(name, weights) : FromKerasConfig(name, config, weights);
}

}  // namespace mobilenet
