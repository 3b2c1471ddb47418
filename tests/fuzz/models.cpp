// Any bytes as a model file. Built once for each format: MOBILENET_FUZZ_FORMAT is 0 for safetensors, 1 for
// TFLite, 2 for Keras HDF5; the bytes go to that parser whatever they begin with.
#include <cstdlib>
#include <memory>
#include <vector>

#include "formats/graph.h"
#include "formats/keras.h"
#include "formats/load.h"
#include "formats/model_file.h"
#include "formats/tflite.h"
#include "mobilenet/error.h"

namespace mobilenet {
namespace {

Model Parse(const std::shared_ptr<const std::vector<std::uint8_t>>& bytes) {
  switch (MOBILENET_FUZZ_FORMAT) {
    case 1:
      return ToModel(ReadTflite(*bytes, "f"));
    case 2:
      return ToModel(ReadKerasHdf5(*bytes, "f"));
    default:
      return ParseModel(*bytes, bytes, "f");
  }
}

}  // namespace
}  // namespace mobilenet

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::make_shared<const std::vector<std::uint8_t>>(data, data + size);
  try {
    // What is accepted must hold together.
    const mobilenet::Model model = mobilenet::Parse(bytes);
    mobilenet::CheckWeights(model.network, model.weights);
  } catch (const mobilenet::Error&) {  // the only exception that may come out
  }
  return 0;
}
