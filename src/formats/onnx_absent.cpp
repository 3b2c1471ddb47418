// In place of ONNX where protobuf was not there when the library was built.
#include "base/fail.h"
#include "formats/onnx.h"
#include "mobilenet/interchange.h"

namespace mobilenet {

Model ReadOnnx(std::span<const std::uint8_t> /*bytes*/, std::string_view name,
               const std::filesystem::path* /*folder*/) {
  Fail(name, ": is an ONNX model, which this build of the library can't read: it was built without protobuf");
}

void SaveOnnx(const Model& /*model*/, const std::filesystem::path& path, const OnnxOptions& /*options*/) {
  Fail(path.string(),
       ": can't be written: this build of the library has no ONNX: it was built without protobuf");
}

}  // namespace mobilenet
