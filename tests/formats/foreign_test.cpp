// Files that are no models of ours: each is told what it is.
#include "formats/foreign.h"

#include <fstream>
#include <string>

#include "complaint.h"
#include "gmock/gmock.h"
#include "mobilenet/model.h"
#include "temporary_directory.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;
using namespace std::string_literals;

std::string ComplaintOf(const std::string& bytes) {
  const std::span<const std::uint8_t> data(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  return Complaint([&] { Model::Parse(data, "f"); });
}

TEST(Foreign, FilesAreToldWhatTheyAre) {
  const std::pair<std::string, const char*> files[] = {
      {"", "f: is empty"},
      {"version https://git-lfs.github.com/spec/v1\n",
       "a Git LFS pointer, not the file itself: `git lfs pull`"},
      {"\x80\x04\x95", "a Python pickle"},
      {"\x08\x01\x12\x07", "a TensorFlow SavedModel's graph"},
      {"\x0A\x0F\x0A\x01x\x12\x0BPlaceholder", "a frozen TensorFlow graph"},
      {"{\"format\": \"layers-model\", \"modelTopology\": {}}", "a TensorFlow.js model"},
      {"{\"a\": 1}", "a JSON file"},
      {"[net] width=1", "found a file that starts with \"[net] wi\""},
      {"\x08\x01\x12\x07", "a TensorFlow SavedModel's graph"},
      {"\xEF\xBB\xBF\r\n<HTML>", "a web page: the download ended at one"},
      {"<!Doctype HTML>", "a web page: the download ended at one"},
      {"<!DOCTYPE html><html>", "a web page: the download ended at one"},
      {"<?xml version=\"1.0\"?><net>", "an XML file"},
      {"\x1F\x8B\x08", "compressed by gzip: unpack it first"},
      {std::string(257, 'a') + "ustar", "a tar archive"},
      {std::string(512, '\0') + "\x89HDF\r\n\x1A\n", "an HDF5 file behind 512 bytes of something else"},
      {"\xFF\xD8\xFF\xE0", "f: is a picture"},
      {"GIF89a", "a GIF picture"},
      {"%PDF-1.7", "a PDF file"},
      {"some text that is nothing", "found a file that starts with \"some tex\""},
      {"\x01\x02\x03"s, "found a file that starts with bytes 01 02 03"},
  };
  for (const auto& [bytes, what] : files) {
    EXPECT_THAT(ComplaintOf(bytes), HasSubstr(what));
    EXPECT_THAT(ComplaintOf(bytes),
                HasSubstr("expected safetensors, a PyTorch state dictionary, a Keras .h5 or .keras, "
                          "or a float .tflite or .onnx"));
  }
}

TEST(Foreign, NamesThatLeadNowhereAreErrorsToo) {
  const TemporaryDirectory directory;
  std::filesystem::create_symlink("loop", directory.path() / "loop");
  EXPECT_THAT(Complaint([&] { Model::Load(directory.path() / "loop"); }), HasSubstr("loop: can't be opened"));
  EXPECT_THAT(Complaint([&] { Model::Load(std::string(300, 'a')); }), HasSubstr("can't be opened"));
}

TEST(Foreign, FoldersAreToldWhatTheyAre) {
  const TemporaryDirectory directory;
  const auto complaint = [&] { return Complaint([&] { Model::Load(directory.path()); }); };
  EXPECT_THAT(complaint(), HasSubstr("is a folder; expected"));
  std::ofstream(directory.path() / "model.json") << R"({"weightsManifest": []})";
  EXPECT_THAT(complaint(),
              HasSubstr("lacks the modelTopology or the weightsManifest of a TensorFlow.js model"));
  std::filesystem::remove(directory.path() / "model.json");
  std::ofstream(directory.path() / "saved_model.pb") << "";
  EXPECT_THAT(complaint(), HasSubstr("is a TensorFlow SavedModel"));
}

}  // namespace
}  // namespace mobilenet
