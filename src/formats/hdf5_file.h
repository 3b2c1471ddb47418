// An HDF5 file's bytes: the superblock, places that are checked before they are used, and checksums.
//
// Source of this and of the other hdf5_*.h: HDF5 File Format Specification, version 3.0.
#pragma once

#include <bit>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace mobilenet::hdf5 {

using Address = std::uint64_t;  // from the file's beginning
using Bytes = std::span<const std::uint8_t>;

constexpr Address kNowhere = ~Address{0};  // the address of what was never stored

// Reads little-endian numbers off the front of bytes. Where they run out, numbers are 0 and `good` turns
// false.
class Cursor {
 public:
  explicit Cursor(Bytes bytes) : bytes_(bytes) {}

  std::uint64_t Take(std::size_t size);
  Bytes TakeBytes(std::uint64_t size);
  void Skip(std::uint64_t size) { TakeBytes(size); }

  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] Bytes rest() const { return bytes_; }

 private:
  Bytes bytes_;
  bool good_ = true;
};

constexpr std::uint64_t PaddedToEight(std::uint64_t size) { return (size + 7) / 8 * 8; }

// How often `part` fits into `whole`, the last time cut off.
constexpr std::uint64_t PartsOf(std::uint64_t whole, std::uint64_t part) {
  return whole / part + (whole % part == 0 ? 0 : 1);
}

// How many bytes a number of at most `most` takes.
constexpr std::uint64_t WidthOf(std::uint64_t most) {
  return most == 0 ? 1 : (static_cast<std::uint64_t>(std::bit_width(most)) - 1) / 8 + 1;
}

constexpr std::uint64_t kSum = 4;  // bytes of a checksum

bool BeginsWith(Bytes bytes, std::string_view signature);

// The bytes up to the first that is 0.
std::string UpToZero(Bytes bytes);

// Bob Jenkins's lookup3 (http://burtleburtle.net/bob/c/lookup3.c), as the specification's checksums are.
std::uint32_t Lookup3(Bytes bytes);

// A file in memory, of which `bytes` must outlive this object, which belongs to one thread. Everything here
// throws Error without naming the file.
class File {
 public:
  static bool Recognises(Bytes bytes) { return BeginsWith(bytes, "\x89HDF\r\n\x1A\n"); }

  // Reads the superblock, of version 0 to 3. `most` is how many bytes all that is read may take, `checksums`
  // whether those of blocks are compared.
  File(Bytes bytes, std::uint64_t most, bool checksums);

  [[nodiscard]] Address root() const { return root_; }
  [[nodiscard]] std::uint64_t size() const { return bytes_.size(); }
  [[nodiscard]] std::uint64_t most() const { return most_; }

  // `what` is for messages, as all below: "a group's heap".
  [[nodiscard]] Bytes At(Address address, std::uint64_t size, std::string_view what) const;

  // A block whose last four bytes are its checksum, without that.
  [[nodiscard]] Bytes Checked(Address address, std::uint64_t size, std::string_view what) const;

  // One that begins with a signature of four letters and the version 0: what follows.
  [[nodiscard]] Cursor Block(Address address, std::uint64_t size, std::string_view signature,
                             std::string_view what) const;

  // Whether a block is still to be compared with its checksum: once, however often it is read.
  [[nodiscard]] bool IsUnchecked(Address address, std::uint64_t size) const;

  // Throws Error if the checksum of `bytes` is not `expected`.
  void CheckSum(Bytes bytes, std::uint64_t expected, Address address, std::string_view what) const;

  // Counts a node, a record or a symbol that is looked at: damaged files can hold themselves many times over.
  void Step() const;

  // Counts bytes of chunks that are unpacked, which may be the same ones many times.
  void Unpack(std::uint64_t bytes) const;

  // Counts bytes that are kept, and asks for `passing` ones besides them.
  void Keep(std::uint64_t bytes, std::uint64_t passing) const;

 private:
  void ReadSuperblock1(Cursor& cursor, unsigned version);
  void ReadSuperblock2(Cursor& cursor);
  void CheckPlace(Address base, std::uint64_t end) const;

  Bytes bytes_;
  std::uint64_t most_;
  bool checksums_;
  Address root_ = 0;
  mutable int steps_ = 1'000'000;
  mutable std::uint64_t unpacked_ = 0;
  mutable std::uint64_t kept_ = 0;
  mutable std::uint64_t summed_ = 0;  // bytes that were compared with checksums
  mutable std::set<std::pair<Address, std::uint64_t>> checked_;
};

}  // namespace mobilenet::hdf5
