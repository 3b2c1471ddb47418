// TensorBoard's event files: records of protocol buffers, each with the checksums of TFRecord.
//
// Two messages with four fields between them are written by hand; a protocol buffer library would bring a
// compiler and a run time for that.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace mobilenet {

// A checksum of TFRecord: CRC-32C (Castagnoli), rotated and offset.
std::uint32_t MaskedCrc32c(const std::string& bytes);

// A run's events.
class EventFile {
 public:
  // For a new file in `folder`.
  explicit EventFile(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // Removes the event files of ours that are in `folder`, unfinished ones too.
  static void Clear(const std::filesystem::path& folder);

  struct Scalar {
    std::string tag;  // "loss/training"
    float value = 0;
  };
  // Adds one event, `seconds` from now: below 0 for what is told late.
  void Add(std::int64_t step, double seconds, const std::vector<Scalar>& scalars);

  // Writes all of them, whole or not at all. Throws Error.
  void Write();

 private:
  std::filesystem::path folder_;
  std::filesystem::path file_;
  std::string records_;
};

}  // namespace mobilenet
