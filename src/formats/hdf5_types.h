// What an HDF5 object's values are: how many, and of what type.
#pragma once

#include <cstdint>
#include <vector>

#include "formats/hdf5_file.h"

namespace mobilenet::hdf5 {

struct Dataspace {
  std::vector<std::uint64_t> shape;
  std::vector<std::uint64_t> most;  // how far each dimension may grow

  // The number of values. Throws Error where they would be more than `most_values`.
  [[nodiscard]] std::uint64_t Count(std::uint64_t most_values) const;
};
constexpr std::uint64_t kUnlimited = ~std::uint64_t{0};

Dataspace ReadDataspace(Bytes message);

// Classes of datatypes.
constexpr unsigned kFloatingPoint = 1;
constexpr unsigned kString = 3;
constexpr unsigned kVariableLength = 9;

struct Datatype {
  unsigned kind;
  std::uint64_t size;
  Bytes message;
};
Datatype ReadDatatype(Bytes message);

// How IEEE floating-point values of 16, 32 or 64 bits are stored.
struct FloatType {
  std::size_t size;  // bytes
  bool big_endian;
};

// Throws Error for any other type.
FloatType FloatTypeOf(const Datatype& type);

// Of as many bytes as `values` need.
void ReadFloats(const FloatType& type, Bytes bytes, std::span<float> values);

}  // namespace mobilenet::hdf5
