// Keras's HDF5 files: every dataset below the weights, by its group's name or its number.
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/fail.h"
#include "formats/hdf5.h"
#include "formats/keras.h"
#include "formats/keras_variables.h"

namespace mobilenet {
namespace {

constexpr int kMaxDepth = 12;
constexpr int kMaxObjects = 10'000;

// Of a seed's state and of numbers that count, nothing is needed, and they are no float32.
bool IsWeight(std::string_view path) { return path.find("seed_generator") == std::string_view::npos; }

class Collector {
 public:
  explicit Collector(const Hdf5& file) : file_(file) {}

  // Walks a group, `path` from the top, whose datasets are weights.
  void Walk(Hdf5::Address group, const std::string& path, int depth) {
    if (depth == 0) return;
    const auto children = file_.Children(group);
    const bool keras3 = path.empty() && children.contains("layers");
    for (const auto& [name, child] : children) {
      if (keras3 && name == "optimizer") continue;  // what training would go on with
      if (--objects_ < 0)
        Fail(file_.name(), ": has more than ", kMaxObjects, " objects, or groups that hold themselves");
      if (name.substr(0, name.find(':')) == "count") continue;  // of pictures that a Normalization has seen
      const std::string inner = path.empty() ? name : Concat(path, "/", name);
      if (!file_.IsDataset(child)) {
        if (std::string told = file_.Text(child, "name"); !told.empty()) names_[inner] = std::move(told);
        Walk(child, inner, depth - 1);
      } else if (!path.empty() && IsWeight(inner)) {
        weights_[path][name.substr(0, name.find(':'))] = file_.Floats(child, inner);
      }
    }
  }

  KerasWeights Take() { return std::move(weights_); }
  // What some groups' attributes say that the layers are called.
  [[nodiscard]] const std::map<std::string, std::string>& names() const { return names_; }

 private:
  const Hdf5& file_;
  int objects_ = kMaxObjects;
  KerasWeights weights_;
  std::map<std::string, std::string> names_;
};

}  // namespace

Graph ReadKerasHdf5(const Hdf5& file) {
  const std::string& name = file.name();
  const auto root = file.Children(file.root());
  const auto nested = root.find("model_weights");
  const std::string config = file.Text(file.root(), "model_config");
  Collector collector(file);
  collector.Walk(nested == root.end() ? file.root() : nested->second, "", kMaxDepth);
  const KerasWeights weights = collector.Take();
  if (!config.empty()) return FromKerasConfig(name, config, weights);
  if (!root.contains("layers")) return FromKerasNames(name, weights);
  std::string assumed;
  Graph graph = FromKerasNames(name, NamedByFile(name, weights, collector.names(), assumed));
  if (!assumed.empty()) graph.provenance["layers"] = assumed;
  return graph;
}

Graph ReadKeras3(std::string_view name, std::string_view config, std::span<const std::uint8_t> weights,
                 std::uint64_t packed) {
  const Hdf5 file(weights, name, {.packed = packed});
  Collector collector(file);
  collector.Walk(file.root(), "", kMaxDepth);
  const KerasWeights numbered = collector.Take();
  Graph graph = FromKerasConfig(name, config, NamedByConfig(name, config, numbered, collector.names()));
  graph.format = "Keras archive";
  return graph;
}

}  // namespace mobilenet
