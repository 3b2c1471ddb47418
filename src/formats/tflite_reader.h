// Reading a TensorFlow Lite file operator by operator, as a graph.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fail.h"
#include "formats/graph.h"
#include "formats/tflite_generated.h"

namespace mobilenet {

class TfliteReader {
 public:
  // Of a file of so many bytes.
  TfliteReader(const tflite::Model& model, std::size_t bytes, std::string_view file);

  Graph Read();

 private:
  using Shape64 = std::vector<std::int64_t>;
  using Number = flatbuffers::uoffset_t;  // of an operator's input, or of anything else in a list

  static constexpr int kNobody = kNetworkInput - 1;
  static constexpr int kSame = 0;  // padding, by its number in the format

  // What a tensor holds that is a part of a softmax: of which tensor.
  enum class Part { kMaximum, kCentred, kExponential, kSum };
  struct PartOf {
    Part part;
    int tensor;
  };

  template <typename... Parts>
  [[noreturn]] void Bad(const Parts&... parts) const;

  // The whole file (tflite.cpp).
  void RefuseQuantized();
  void ReadInput();
  const tflite::OperatorCode& CodeOf() const;
  void Dispatch();
  int Input(Number number);
  void Append(op::Any operation, std::vector<int> inputs);
  void Append(op::Any operation, std::vector<int> inputs, int activation);

  // Tensors and constants (tflite_tensors.cpp).
  int Index(const flatbuffers::Vector<std::int32_t>* list, Number i, const char* what) const;
  const tflite::Tensor& TensorAt(int index) const;
  int InputOf(Number number) const;
  int OutputOf() const;
  int& WriterOf(int tensor);
  bool IsWritten(int tensor) const;
  Shape64 ShapeOf(const tflite::Tensor& tensor) const;
  static bool AnySize(const tflite::Tensor& tensor);
  std::string NameOfOutput() const;
  bool IsConstant(int tensor) const;
  std::span<const std::uint8_t> BytesOf(const tflite::Tensor& tensor) const;
  std::size_t CountOf(const Shape64& shape, std::size_t bytes, std::size_t bytes_each) const;
  std::pair<Shape64, std::vector<float>> Floats(Number input);
  std::pair<Shape64, std::vector<float>> Floats(Number input, std::size_t rank);
  void NoteWeights(int type);
  std::vector<std::int32_t> Integers(Number input, std::size_t count) const;
  std::vector<float> BiasOf();

  // Operators that are layers, or nothing (tflite_layers.cpp).
  template <typename Options>
  void SetWindow(const Options& options, op::Window& window);
  void AddDequantize();
  void AddConvolution();
  void AddDepthwise();
  void AddFullyConnected();
  void AddRelu();
  void AddRelu6();
  void AddHardSwish();
  void AddZeros();
  void AddMean();
  void AddPool();
  void AddMaxPool();
  void AddReshape();
  void SkipNumbers();
  void AddSoftmax();
  void AddSigmoid();

  // Arithmetic by elements (tflite_arithmetic.cpp).
  void AddElements();
  int FusedActivation() const;
  std::array<double, 3> ByChannel(Number constant);
  void Rescale(Number map);
  void RescaleWithin(Number map);
  void NormaliseWithin(Number map, const Shape64& shape, std::span<const float> values);
  void ApplyTo(double& scale, double& offset, double value, bool constant_first) const;
  void AddRescale(int tensor);
  bool AddPart();
  void Note(Part part, int tensor);
  bool IsPart(int tensor, Part part) const;
  void CheckLastAxis() const;
  void AddMaximum();
  void AddExponential();
  void AddSumOfExponentials();

  const tflite::Model& model_;
  const tflite::SubGraph* graph_ = nullptr;
  Graph network_;
  std::vector<int> writers_;              // of each tensor: a node, the input, or nobody
  std::vector<int> constants_;            // of each tensor that is one widened: that; else nobody
  std::map<int, op::Rescale> rescaled_;   // by tensors: what the input became that no node does yet
  std::map<int, PartOf> parts_;           // by tensors, those of softmaxes
  std::size_t values_left_;               // weights that may still come, however often each is read
  bool any_size_ = false;                 // whether the input may have any
  const tflite::Operator* op_ = nullptr;  // the one that is read, and what messages call it
  int code_ = 0;
  std::string where_;
  std::string type_;
};

template <typename... Parts>
void TfliteReader::Bad(const Parts&... parts) const {
  BadNode(network_, {where_, type_, "", {}, {}}, Concat(parts...));
}

}  // namespace mobilenet
