#include "formats/torch_names.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/fail.h"
#include "formats/transposed.h"
#include "network/kinds.h"

namespace mobilenet {
namespace {

constexpr float kEpsilon = 1e-5F;  // PyTorch's default
constexpr Activation kActivation = Activation::kRelu6;

// What one block's layers are called, up to ".weight" and the like; the expansion is "" where it has none.
struct BlockNames {
  std::string expand, expand_norm;
  std::string depthwise, depthwise_norm;
  std::string project, project_norm;
};

// Makes nodes of tensors by their names, and keeps account of which were used.
class TensorNodes {
 public:
  explicit TensorNodes(const Safetensors& file) : file_(file) {
    graph_.file = file.name;
    graph_.version = "v2";
  }

  // Of a convolution with its batch norm and, where there is one, its activation.
  void Convolution(const std::string& name, const std::string& norm, int stride, bool activated) {
    const Tensor weight = Floats(name + ".weight", 4);
    const auto& shape = weight.shape;
    op::Convolution convolution;
    convolution.weight = Turned(weight, {shape[2], shape[3], shape[1], shape[0]});
    convolution.stride = stride;
    convolution.padding = Symmetric(shape);
    Append(name, "Conv2d", std::move(convolution));
    Finish(norm, activated);
  }

  void Depthwise(const std::string& name, const std::string& norm, int stride) {
    const Tensor weight = Floats(name + ".weight", 4);
    const auto& shape = weight.shape;
    if (shape[1] != 1)
      Fail(file_.name, ": the tensor ", name, ".weight has the shape ", ShapeText(shape),
           ", expected that of a depthwise convolution, [channels, 1, k, k]");
    op::Depthwise depthwise;
    depthwise.weight = Turned(weight, {shape[2], shape[3], shape[0]});
    depthwise.stride = stride;
    depthwise.padding = Symmetric(shape);
    Append(name, "Conv2d", std::move(depthwise));
    Finish(norm, true);
  }

  // An inverted residual block. The skip is where torchvision and timm have it: at stride 1, between as many
  // channels.
  void Block(const BlockNames& names, int stride) {
    const int input = graph_.output;
    const std::int64_t channels = channels_;
    if (!names.expand.empty()) Convolution(names.expand, names.expand_norm, 1, true);
    Depthwise(names.depthwise, names.depthwise_norm, stride);
    Convolution(names.project, names.project_norm, 1, false);
    if (stride == 1 && channels == channels_)
      graph_.Append({"the sum behind " + names.project,
                     "add",
                     names.project + ".add",
                     {graph_.output, input},
                     op::Add()});
  }

  // Where the weights have none, as those of num_classes=0, the average is the end.
  void Classifier(const std::string& name) {
    graph_.Append({"the average", "mean", "pool", {}, op::Average()});
    if (!file_.entries.contains(name + ".weight")) return;
    const Tensor weight = Floats(name + ".weight", 2);
    Append(name, "Linear",
           op::Dense{Turned(weight, {weight.shape[1], weight.shape[0]}), Vector(name + ".bias")});
  }

  // Networks of other families have some of the names.
  void RefuseOthers(std::string_view whose) const {
    for (const auto& [name, entry] : file_.entries) {
      const bool squeezes = name.find(".se.") != std::string::npos ||
                            name.find(".fc1.") != std::string::npos ||
                            name.find(".block.") != std::string::npos;
      if (squeezes)
        Fail(file_.name, ": has the tensor ", name, ", as ", whose,
             " MobileNet V3 and EfficientNet have, expected MobileNet V2's");
    }
  }

  // All tensors must have been used; batch norms count their batches for training alone.
  Graph Take(std::string_view whose) {
    for (const auto& [name, entry] : file_.entries) {
      if (!used_.contains(name) && !name.ends_with(".num_batches_tracked"))
        Fail(file_.name, ": the tensor ", name, " belongs to no layer of ", whose, " MobileNet V2");
    }
    return std::move(graph_);
  }

 private:
  Tensor Floats(const std::string& name, std::size_t rank) {
    if (!file_.entries.contains(name)) Fail(file_.name, ": the tensor ", name, " is missing");
    used_.insert(name);
    Tensor tensor = file_.Floats(name);
    if (tensor.shape.size() != rank || std::ranges::count(tensor.shape, 0) > 0)
      Fail(file_.name, ": the tensor ", name, " has the shape ", ShapeText(tensor.shape), ", expected ", rank,
           " dimensions from 1");
    return tensor;
  }

  std::vector<float> Vector(const std::string& name) {
    const Tensor tensor = Floats(name, 1);
    return {tensor.values.begin(), tensor.values.end()};
  }

  // Channels out come first in PyTorch, then channels in, rows and columns; ours the other way around.
  static Tensor Turned(const Tensor& weight, std::vector<std::int64_t> shape) {
    const std::int64_t out = weight.shape[0];
    std::vector<float> values = Transposed(weight.values, out);
    if (weight.shape.size() == 4) {
      // [in, rows x columns, out] -> [rows x columns, in, out]
      const auto in = static_cast<std::size_t>(weight.shape[1]);
      const std::size_t taps = values.size() / in / static_cast<std::size_t>(out);
      values = SwappedOuter(values, in, taps);
    }
    return Tensor::Of(std::move(shape), std::move(values));
  }

  // [a, b, rest] -> [b, a, rest].
  static std::vector<float> SwappedOuter(const std::vector<float>& values, std::size_t a, std::size_t b) {
    const std::size_t rest = values.size() / a / b;
    std::vector<float> swapped;
    swapped.reserve(values.size());
    for (std::size_t j = 0; j < b; ++j) {
      for (std::size_t i = 0; i < a; ++i) {
        const auto begin = values.begin() + static_cast<std::ptrdiff_t>((i * b + j) * rest);
        swapped.insert(swapped.end(), begin, begin + static_cast<std::ptrdiff_t>(rest));
      }
    }
    return swapped;
  }

  Padding Symmetric(const std::vector<std::int64_t>& shape) const {
    const int rows = static_cast<int>(std::min<std::int64_t>(shape[2], kMostWindow) / 2);
    const int columns = static_cast<int>(std::min<std::int64_t>(shape[3], kMostWindow) / 2);
    return {rows, rows, columns, columns};
  }

  void Append(const std::string& name, const char* type, op::Any operation) {
    graph_.Append({"the layer " + name, type, name, {}, std::move(operation)});
  }

  void Finish(const std::string& norm, bool activated) {
    op::Norm node = {Vector(norm + ".weight"), Vector(norm + ".bias"), Vector(norm + ".running_mean"),
                     Vector(norm + ".running_var"), kEpsilon};
    channels_ = static_cast<std::int64_t>(node.mean.size());
    Append(norm, "BatchNorm2d", std::move(node));
    if (activated) Append(norm + ".activation", "ReLU6", op::Clip{kActivation});
  }

  const Safetensors& file_;
  Graph graph_;
  std::set<std::string, std::less<>> used_;
  std::int64_t channels_ = 0;  // of the map so far
};

// The strides that the names stand for, those of V2's blocks, and how many blocks a run has.
std::vector<int> BlockStrides() {
  std::vector<int> strides;
  for (const Layer& layer : V2().layers) {
    if (layer.kind == LayerKind::kDepthwise) strides.push_back(layer.stride);
  }
  return strides;
}

// The crop is that of each side, as of other imported models: nothing of the picture's content is lost beyond
// it, whatever its shape.
void SetPreprocessing(std::string_view whose, Graph& graph) {
  graph.preprocessing = PreprocessingPreset("pytorch");
  graph.preprocessing->shape = CropShape::kStretch;
  graph.provenance["preprocessing"] =
      Concat("not in the file; ImageNet's mean and deviation were assumed, since the names are ", whose,
             "; a crop of each side was assumed, where ", whose,
             " own is a square of the shorter side: convert --preprocess pytorch sets that");
}

}  // namespace

bool HasTorchvisionNames(const Safetensors& file) {
  return file.entries.contains("features.0.0.weight") &&
         (file.entries.contains("features.1.conv.0.0.weight") ||
          file.entries.contains("features.1.block.0.0.weight"));
}

bool HasTimmNames(const Safetensors& file) {
  return file.entries.contains("conv_stem.weight") && file.entries.contains("blocks.0.0.conv_dw.weight");
}

Graph ReadTorchvision(const Safetensors& file) {
  TensorNodes nodes(file);
  nodes.RefuseOthers("torchvision's");
  nodes.Convolution("features.0.0", "features.0.1", V2().layers.front().stride, true);
  int block = 0;
  for (const int stride : BlockStrides()) {
    const std::string name = Concat("features.", ++block, ".conv.");
    if (block == 1) {
      nodes.Block({"", "", name + "0.0", name + "0.1", name + "1", name + "2"}, stride);
    } else {
      nodes.Block({name + "0.0", name + "0.1", name + "1.0", name + "1.1", name + "2", name + "3"}, stride);
    }
  }
  const std::string last = Concat("features.", block + 1);
  nodes.Convolution(last + ".0", last + ".1", 1, true);
  nodes.Classifier("classifier.1");
  Graph graph = nodes.Take("torchvision's");
  graph.format = "PyTorch weights, torchvision's names";
  graph.provenance["padding"] = "symmetric, epsilon 1e-5: known from torchvision's names";
  SetPreprocessing("torchvision's", graph);
  return graph;
}

Graph ReadTimm(const Safetensors& file) {
  TensorNodes nodes(file);
  nodes.RefuseOthers("timm's");
  nodes.Convolution("conv_stem", "bn1", V2().layers.front().stride, true);
  const std::vector<int> strides = BlockStrides();
  std::size_t next = 0;
  int stage = 0;
  for (const int blocks : {1, 2, 3, 4, 3, 3, 1}) {  // of each stage: timm counts them one by one
    for (int i = 0; i < blocks; ++i) {
      const std::string name = Concat("blocks.", stage, ".", i, ".");
      if (stage == 0) {
        nodes.Block({"", "", name + "conv_dw", name + "bn1", name + "conv_pw", name + "bn2"},
                    strides[next++]);
      } else {
        nodes.Block(
            {name + "conv_pw", name + "bn1", name + "conv_dw", name + "bn2", name + "conv_pwl", name + "bn3"},
            strides[next++]);
      }
    }
    ++stage;
  }
  nodes.Convolution("conv_head", "bn2", 1, true);
  nodes.Classifier("classifier");
  Graph graph = nodes.Take("timm's");
  graph.format = "PyTorch weights, timm's names";
  graph.provenance["padding"] =
      "symmetric, epsilon 1e-5: assumed; timm's tf_ models have the same names, but pad as TensorFlow does, "
      "with epsilon 1e-3";
  SetPreprocessing("timm's", graph);
  graph.preprocessing->filter = ResizeFilter::kBicubic;
  return graph;
}

}  // namespace mobilenet
