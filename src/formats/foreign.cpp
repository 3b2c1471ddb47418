#include "formats/foreign.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

#include "base/fail.h"
#include "base/signature.h"
#include "image/signatures.h"

namespace mobilenet {
namespace {

using namespace std::string_view_literals;
using Bytes = std::span<const std::uint8_t>;

constexpr std::string_view kRead =
    "expected safetensors, a PyTorch state dictionary, a Keras .h5 or .keras, or a float .tflite or .onnx";

struct Row {
  std::size_t offset;
  std::string_view magic;
  std::string_view what;  // and what can be done
};

// The first that fits.
constexpr std::array kRows = {
    Row{0, "version https://git-lfs"sv, "a Git LFS pointer, not the file itself: `git lfs pull` fetches it"},
    Row{0, "\x80\x02"sv, "a Python pickle, which is not read"},
    Row{0, "\x80\x03"sv, "a Python pickle, which is not read"},
    Row{0, "\x80\x04"sv, "a Python pickle, which is not read"},
    Row{0, "\x80\x05"sv, "a Python pickle, which is not read"},
    Row{0, "\x93NUMPY"sv, "a NumPy array, which is not read"},
    Row{512, "\x89HDF\r\n\x1A\n"sv, "an HDF5 file behind 512 bytes of something else, which is not read"},
    Row{0, "GGUF"sv, "a GGUF file, which is not read"},
    Row{0, "7767517\n"sv, "an ncnn network, which is not read"},
    Row{0, "\x1F\x8B"sv, "compressed by gzip: unpack it first"},
    Row{0,
        "\xFD"
        "7zXZ"sv,
        "compressed by xz: unpack it first"},
    Row{0, "(\xB5/\xFD"sv, "compressed by zstd: unpack it first"},
    Row{0, "7z\xBC\xAF"sv, "a 7z archive: unpack it first"},
    Row{257, "ustar"sv, "a tar archive: unpack it first"},
    Row{0,
        "\x7F"
        "ELF"sv,
        "a program"},
    Row{0, "%PDF"sv, "a PDF file"},
    Row{0, "<?xml"sv, "an XML file (an OpenVINO network, perhaps), which is not read"},
    Row{0, "\x08\x01\x12"sv,
        "a TensorFlow SavedModel's graph, which is not read: TFLiteConverter makes a .tflite of its folder"},
};

// Whether the text stands near the beginning, or near the end, where ZIP archives list their files.
bool Has(Bytes bytes, std::string_view text) {
  constexpr std::size_t kLooked = 65'536;
  const auto in = [text](Bytes part) {
    return std::string_view(reinterpret_cast<const char*>(part.data()), part.size()).find(text) !=
           std::string_view::npos;
  };
  const std::size_t looked = std::min(bytes.size(), kLooked);
  return in(bytes.first(looked)) || in(bytes.last(looked));
}

// A ZIP archive by the name of its first files.
std::string_view ArchiveText(Bytes bytes) {
  if (Has(bytes, "data.pkl"))
    return "a PyTorch checkpoint (a ZIP archive), which this build does not read: build it where libzip-dev "
           "is "
           "installed";
  if (Has(bytes, "model.weights.h5"))
    return "a Keras archive (.keras), which this build does not read: build it where libzip-dev is installed";
  if (Has(bytes, ".npy")) return "a NumPy archive (.npz), which is not read";
  return "a ZIP archive: unpack it first";
}

std::string_view JsonText(Bytes bytes) {
  return Has(bytes, "modelTopology") || Has(bytes, "weightsManifest")
             ? "the description of a TensorFlow.js model, whose weights lie in files beside it: load it by "
               "its path"
             : "a JSON file";
}

// Markup may begin with a byte order mark or blanks, and be in any case.
bool IsWebPage(Bytes bytes) {
  std::string begin;
  for (const std::uint8_t byte : bytes.first(std::min<std::size_t>(bytes.size(), 256)))
    begin += static_cast<char>(byte >= 'A' && byte <= 'Z' ? byte + 'a' - 'A' : byte);
  if (begin.starts_with("\xEF\xBB\xBF")) begin.erase(0, 3);
  begin.erase(0, begin.find_first_not_of(" \t\r\n"));
  return begin.starts_with("<!doctype html") || begin.starts_with("<html");
}

// Protocol buffers have no signature: a frozen TensorFlow graph begins with its first node.
bool IsGraph(Bytes bytes) { return HasAt(bytes, 0, "\x0A") && Has(bytes, "Placeholder"); }

// Nothing where it can't be told.
std::string_view TextOf(Bytes bytes) {
  for (const Row& row : kRows) {
    if (HasAt(bytes, row.offset, row.magic)) return row.what;
  }
  if (IsWebPage(bytes)) return "a web page: the download ended at one";
  if (HasAt(bytes, 0, "PK\3\4")) return ArchiveText(bytes);
  if (HasAt(bytes, 0, "{")) return JsonText(bytes);
  if (IsGraph(bytes)) return "a frozen TensorFlow graph, which is not read";
  const Signature picture = SignatureOf(bytes);
  if (!picture.what.empty()) return picture.what;
  return picture.format == PictureFormat::kUnknown ? "" : "a picture";
}

}  // namespace

void FailForeign(Bytes bytes, std::string_view name) {
  if (bytes.empty()) Fail(name, ": is empty, ", kRead);
  const std::string_view text = TextOf(bytes);
  if (!text.empty()) Fail(name, ": is ", text, "; ", kRead);
  Fail(name, ": is no model that is read: ", kRead, ", found a file that starts with ", Beginning(bytes));
}

void FailForeignFolder(const std::filesystem::path& folder) {
  std::error_code unknown;
  if (std::filesystem::exists(folder / "saved_model.pb", unknown))
    Fail(folder.string(),
         ": is a TensorFlow SavedModel, which is not read: TFLiteConverter makes a .tflite of it; ", kRead);
  Fail(folder.string(), ": is a folder; ", kRead);
}

}  // namespace mobilenet
