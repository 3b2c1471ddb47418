// TensorFlow Lite's operators by their numbers in the format (schema.fbs, BuiltinOperator): those that are
// read or written.
#pragma once

namespace mobilenet::tflite_operator {

constexpr int kAdd = 0;
constexpr int kAveragePool = 1;
constexpr int kConvolution = 3;
constexpr int kDepthwise = 4;
constexpr int kDequantize = 6;
constexpr int kFullyConnected = 9;
constexpr int kLogistic = 14;
constexpr int kMaxPool = 17;
constexpr int kMul = 18;
constexpr int kRelu = 19;
constexpr int kRelu6 = 21;
constexpr int kReshape = 22;
constexpr int kSoftmax = 25;
constexpr int kPad = 34;
constexpr int kMean = 40;
constexpr int kSub = 41;
constexpr int kDiv = 42;
constexpr int kSqueeze = 43;
constexpr int kStridedSlice = 45;
constexpr int kExp = 47;
constexpr int kSum = 74;
constexpr int kShape = 77;
constexpr int kReduceMax = 82;
constexpr int kPack = 83;
constexpr int kHardSwish = 117;

}  // namespace mobilenet::tflite_operator
