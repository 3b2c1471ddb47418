// Any bytes as a model file. Built once for each format: MOBILENET_FUZZ_FORMAT is 0 for safetensors, 1 for
// TFLite, 2 for Keras HDF5, 3 for a PyTorch checkpoint's pickle, whose storages are all alike, 4 for ONNX;
// the bytes go to that parser whatever they begin with, without a look at HDF5's checksums.
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "formats/graph.h"
#include "formats/keras.h"
#include "formats/load.h"
#include "formats/model_file.h"
#include "formats/onnx.h"
#include "formats/pickle.h"
#include "formats/tflite.h"
#include "formats/timm_v4.h"
#include "formats/torch_names.h"
#include "formats/torch_state.h"
#include "formats/torch_v3.h"
#include "mobilenet/cost.h"
#include "mobilenet/error.h"
#include "mobilenet/runtime.h"

namespace mobilenet {
namespace {

Safetensors ReadState(const std::vector<std::uint8_t>& bytes) {
  std::size_t position = 0;
  const Pickle pickle = ReadPickle(bytes, position, "f");
  const auto storage = std::make_shared<const std::vector<std::uint8_t>>(std::size_t{1} << 18);
  const auto find = [&](const std::string&) { return std::span<const std::uint8_t>(*storage); };
  return ReadTorchState(pickle, "f", bytes.size(), find, storage).tensors;
}

Graph ReadTimmNamed(const Safetensors& file) {
  if (HasTorchvisionV3Names(file)) return ReadTorchvisionV3(file);
  if (HasTimmV3Names(file)) return ReadTimmV3(file);
  return HasTimmV4Names(file) ? ReadTimmV4(file) : ReadTimm(file);
}

Model Parse(const std::shared_ptr<const std::vector<std::uint8_t>>& bytes) {
  switch (MOBILENET_FUZZ_FORMAT) {
    case 1:
      return ReadTflite(*bytes, "f");
    case 2:
      return ToModel(ReadKerasHdf5({*bytes, "f", {.checksums = false}}));
    case 3:
      return ToModel(ReadTimmNamed(ReadState(*bytes)));
    case 4:
      return ReadOnnx(*bytes, "f");
    default:
      return ParseModel(*bytes, bytes, "f");
  }
}

// Whatever is accepted must run, if that takes no long time.
void Run(const Model& model) {
  constexpr std::int64_t kMostMacs = 20'000'000;
  constexpr std::int64_t kMostBytes = 50'000'000;
  const Cost cost = CostOf(model.network);
  if (cost.macs > kMostMacs || cost.peak_activation_bytes + 4 * model.network.input.size() > kMostBytes)
    return;
  Runner runner(Plan(model.network, model.weights));
  std::vector<float> logits(static_cast<std::size_t>(model.network.output().size()));
  const std::vector<float> input(static_cast<std::size_t>(model.network.input.size()), 0.5F);
  if (!runner.Run(input, logits)) std::abort();
}

}  // namespace
}  // namespace mobilenet

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::make_shared<const std::vector<std::uint8_t>>(data, data + size);
  try {
    // What is accepted must hold together.
    const mobilenet::Model model = mobilenet::Parse(bytes);
    mobilenet::CheckWeights(model.network, model.weights);
    mobilenet::Run(model);
  } catch (const mobilenet::Error&) {  // the only exception that may come out
  }
  return 0;
}
