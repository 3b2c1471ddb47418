// The part of the HDF5 format that Keras's files use: groups, floating-point datasets and text attributes, in
// all versions of the format up to HDF5 1.14, chunked and compressed or not.
//
// Ours rather than libhdf5: version 1.10.8, given the damaged files of tests/formats/import_test.cpp,
// crashed. This reader checks every address, length and checksum before it uses them, and bounds how much it
// looks at and how much memory it takes.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "formats/hdf5_file.h"
#include "mobilenet/tensor.h"

namespace mobilenet {

struct Hdf5Options {
  // The size of the archive that the file was unpacked from, if it was: what the file's size bounds is then
  // bounded by the smaller of both.
  std::uint64_t packed = 0;
  // Whether checksums of blocks are compared. Without that, tests and the fuzzer, which can't guess them,
  // reach what comes behind.
  bool checksums = true;
};

// A file in memory, of which `bytes` must outlive this object, which belongs to one thread. Every function
// throws Error, naming the file, for damage and for what is not read.
class Hdf5 {
 public:
  using Address = hdf5::Address;  // of an object's header

  // All values together may take as many bytes as the file, which may be compressed, this many times.
  static constexpr std::uint64_t kMostGrowth = 10;

  // Whether the bytes begin with HDF5's signature.
  static bool Recognises(std::span<const std::uint8_t> bytes) { return hdf5::File::Recognises(bytes); }

  Hdf5(std::span<const std::uint8_t> bytes, std::string_view name, const Hdf5Options& options = {});

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] Address root() const { return file_.root(); }

  // The objects in a group, by name; empty for an object that is no group.
  [[nodiscard]] std::map<std::string, Address> Children(Address object) const;

  // A text attribute; empty where the object has none of that name.
  [[nodiscard]] std::string Text(Address object, std::string_view attribute) const;

  [[nodiscard]] bool IsDataset(Address object) const;

  // A dataset of values of 16, 32 or 64 bits. `name` is for messages.
  [[nodiscard]] Tensor Floats(Address object, std::string_view name) const;

 private:
  std::string name_;
  hdf5::File file_;
};

}  // namespace mobilenet
