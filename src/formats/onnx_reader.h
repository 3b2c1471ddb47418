// From an ONNX file's nodes to a graph of operators.
//
// ONNX names the values that nodes read and write. Each is a map of the network or a constant; constants are
// also the shapes that exporters compute on the way. An axis of a map is followed by what it stands for, so
// that transposes between NCHW and NHWC, flattening and squeezing change nothing but the order of names.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "formats/graph.h"
#include "formats/onnx_file.h"
#include "mobilenet/error.h"

namespace mobilenet {

class OnnxReader {
 public:
  // `model` and `folder` must live as long as it does; `size` is that of the file in bytes.
  OnnxReader(const onnx::Model& model, std::string_view file, std::size_t size,
             const std::filesystem::path* folder);

  // Throws Error, naming the first node that is not read.
  Graph Read();

 private:
  // kPixels is height and width in one, kOne an axis of one value.
  enum class Axis { kBatch, kHeight, kWidth, kChannels, kPixels, kOne };

  struct Map {
    int node = kNetworkInput;
    Shape shape;  // with the zeros around it; 0 channels where the file doesn't say
    std::vector<Axis> axes;
    bool sole = true;     // nothing else reads it, or what it is another name of
    bool capped = false;  // cut at 6 above, and not yet at 0 below
  };
  using Constant = OnnxConstant;
  using Value = std::variant<Map, Constant>;

  // values * scale + shift; one number, or one for each channel.
  struct Affine {
    std::vector<double> scale = {1.0};
    std::vector<double> shift = {0.0};
    int steps = 0;
  };

  struct Row {
    const char* type;
    void (OnnxReader::*add)();
  };
  // The operators that are read.
  static const Row* RowOf(std::string_view type);

  template <typename... Parts>
  [[noreturn]] void Bad(const Parts&... parts) const;
  template <typename Work>
  auto OrBad(const Work& work) const -> decltype(work());  // what it returns, or Bad with its Error's text

  // The whole (onnx.cpp).
  void CheckOperatorSets();
  void ReadInput();
  static std::vector<Axis> InputAxes(const std::vector<std::int64_t>& shape);
  std::vector<bool> NodesInUse();
  void ReadNode(const onnx::Node& node, int number);
  void ReadOutput();

  // What a node says, and what it reads.
  [[nodiscard]] const onnx::Attribute* Find(std::string_view name) const;
  [[nodiscard]] std::int64_t Integer(std::string_view name, std::int64_t absent) const;
  [[nodiscard]] double Number(std::string_view name, double absent) const;
  [[nodiscard]] std::string Text(std::string_view name, const std::string& absent) const;
  [[nodiscard]] std::vector<std::int64_t> IntegersIn(std::string_view name) const;
  // By an attribute in old operator sets, by an input in new ones.
  [[nodiscard]] std::optional<std::vector<std::int64_t>> IntegersOf(std::string_view name, int input);
  [[nodiscard]] bool Has(int input) const;
  [[nodiscard]] Value ValueAt(int input);
  [[nodiscard]] Map UncutMapAt(int input);  // which may be cut at 6 above alone
  [[nodiscard]] Map MapAt(int input);
  [[nodiscard]] Map NchwAt(int input);
  [[nodiscard]] Constant ConstantAt(int input);
  [[nodiscard]] std::vector<float> FloatsAt(int input);
  [[nodiscard]] std::vector<std::int64_t> IntegersAt(int input);
  [[nodiscard]] double NumberAt(int input);
  [[nodiscard]] int AxisOf(std::int64_t axis, std::size_t rank) const;
  [[nodiscard]] std::int64_t SizeOf(const Map& map, Axis axis) const;
  [[nodiscard]] std::vector<std::int64_t> SizesOf(const Map& map) const;
  [[nodiscard]] static std::string TextOf(const Map& map);

  // Writing down what it makes.
  void Set(Value value);
  // A node that reads these maps and makes `map`, of which the rest is filled in.
  void Append(op::Any operation, const std::vector<Map>& inputs, Map map);
  int Reads(const Map& map);

  // Operators on maps (onnx_maps.cpp).
  void AddConvolution();
  void SetWindow(op::Window& window, Map& map);
  std::optional<Padding> PaddingOf(int kernel_height, int kernel_width, const Stride& stride,
                                   const Shape& map);
  [[nodiscard]] Stride StrideOf() const;
  void AddNorm();
  void AddGemm();
  void AddMatMul();
  void AddZeros();
  void AddGlobalAverage();
  void AddMaxPool();
  void AddAverage();
  void AddMean();
  void AddRelu();
  void AddClip();
  void AddMinimum();
  void AddMaximum();
  void Clip(const Map& map, double low, double high);
  void AddSigmoid();
  void AddHardSigmoid();
  void AddHardSwish();
  void AddSoftmax();
  void PassOn();
  void AddDropout();
  void AddCast();

  // Arithmetic by elements (onnx_arithmetic.cpp).
  void AddElements();
  void AddMaps(const Map& a, const Map& b);
  void MultiplyMaps(const Map& a, const Map& b);
  std::vector<double> ByChannel(const Map& map, const Constant& constant);
  Affine AffineOf(const Map& map, bool constant_first, const Constant& constant);
  void Rescale(const Map& map, const Affine& affine);
  bool IsLinear(int node) const;
  void PassOn(const Map& map, const Affine& affine);
  void ComputeShape(const Constant& a, const Constant& b);
  void AddInputRescale();
  void ApplyAffines();

  // Axes and constants (onnx_shapes.cpp).
  void AddConstant();
  void AddTranspose();
  void AddReshape();
  void Reshape(const Map& map, const std::vector<std::int64_t>& shape);
  void Reshape(const Constant& constant, std::vector<std::int64_t> shape);
  std::optional<std::vector<Axis>> AxesAfter(const Map& map, const std::vector<std::int64_t>& shape) const;
  void AddFlatten();
  void AddSqueeze();
  void AddUnsqueeze();
  void AddShape();
  void AddGather();
  void AddSlice();
  void AddConcat();
  Constant ListOf(std::vector<std::int64_t> integers) const;

  const onnx::Model& model_;
  OnnxTensors tensors_;
  Graph graph_;
  std::int64_t batch_ = kAnything;
  int operator_set_ = 0;
  std::map<std::string_view, Value, std::less<>> values_;
  std::map<std::string_view, int, std::less<>> readers_;
  std::map<int, Affine> affines_;     // of the graph's nodes, and of the input
  std::optional<int> rescaled_;       // the node that does the input's
  std::deque<onnx::Tensor> made_;     // constants that stand in attributes as numbers
  const onnx::Node* node_ = nullptr;  // the one that is read, and what messages call it
  std::string where_;
  std::string type_;
};

template <typename... Parts>
void OnnxReader::Bad(const Parts&... parts) const {
  std::ostringstream text;
  (text << ... << parts);
  BadNode(graph_, {where_, type_, "", {}, {}}, text.str());
}

template <typename Work>
auto OnnxReader::OrBad(const Work& work) const -> decltype(work()) {
  try {
    return work();
  } catch (const OutOfMemory&) {
    throw;
  } catch (const Error& error) {
    Bad(error.what());
  }
}

}  // namespace mobilenet
