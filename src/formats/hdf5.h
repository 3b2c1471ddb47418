// The part of the HDF5 format that Keras writes: groups, float32 datasets and text attributes.
//
// Ours rather than libhdf5: version 1.10.8, given the damaged files of tests/formats/import_test.cpp,
// crashed. This reader checks every address and length against the file. Not read: chunked and compressed
// datasets, and the layout of groups that h5py writes only when asked (superblock version 2 and up).
//
// Source: HDF5 File Format Specification, version 3.0.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mobilenet/tensor.h"

namespace mobilenet {

// A file in memory, of which `bytes` must outlive this object. Every function throws Error, naming the file
// and the object, for damage and for what is not read.
class Hdf5 {
 public:
  using Address = std::uint64_t;  // of an object's header, from the file's beginning

  // Whether the bytes begin with HDF5's signature.
  static bool Recognises(std::span<const std::uint8_t> bytes);

  Hdf5(std::span<const std::uint8_t> bytes, std::string_view name);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] Address root() const { return root_; }

  // The objects in a group, by name; empty for an object that is no group.
  [[nodiscard]] std::map<std::string, Address> Children(Address object) const;

  // A text attribute; empty where the object has none of that name.
  [[nodiscard]] std::string Text(Address object, std::string_view attribute) const;

  [[nodiscard]] bool IsDataset(Address object) const;

  // A dataset of float32 values. `name` is for messages.
  [[nodiscard]] Tensor Floats(Address object, std::string_view name) const;

 private:
  // A message in an object's header.
  struct Message {
    unsigned type;
    unsigned flags;
    std::span<const std::uint8_t> data;
  };
  struct Datatype {
    unsigned kind;
    std::uint64_t size;
    std::span<const std::uint8_t> data;
  };

  [[nodiscard]] std::span<const std::uint8_t> At(Address address, std::uint64_t size, const char* what) const;
  [[nodiscard]] std::vector<Message> Messages(Address object) const;
  [[nodiscard]] std::vector<std::int64_t> Dataspace(std::span<const std::uint8_t> data) const;
  [[nodiscard]] Datatype ReadDatatype(std::span<const std::uint8_t> data) const;
  [[nodiscard]] std::string ReadText(const Datatype& type, std::span<const std::uint8_t> data) const;
  [[nodiscard]] std::string GlobalHeapText(std::span<const std::uint8_t> reference) const;
  [[nodiscard]] std::span<const std::uint8_t> Contiguous(std::span<const std::uint8_t> layout,
                                                         std::string_view name) const;
  void CollectNames(Address tree, std::span<const std::uint8_t> names,
                    std::map<std::string, Address>& children) const;

  std::span<const std::uint8_t> bytes_;
  std::string name_;
  Address root_ = 0;
  // How many more tree nodes and symbols are looked at: damaged groups can hold themselves many times over.
  // An object of this class belongs to one thread.
  mutable int budget_ = 1'000'000;
};

}  // namespace mobilenet
