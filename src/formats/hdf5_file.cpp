#include "formats/hdf5_file.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/fail.h"

namespace mobilenet::hdf5 {

std::uint64_t Cursor::Take(std::size_t size) {
  std::uint64_t value = 0;
  const Bytes part = TakeBytes(size);
  for (std::size_t i = 0; i < part.size(); ++i) value |= std::uint64_t{part[i]} << (8 * i);
  return value;
}

Bytes Cursor::TakeBytes(std::uint64_t size) {
  if (size > bytes_.size()) {
    good_ = false;
    bytes_ = {};
    return {};
  }
  const Bytes part = bytes_.first(size);
  bytes_ = bytes_.subspan(size);
  return part;
}

bool BeginsWith(Bytes bytes, std::string_view signature) {
  return bytes.size() >= signature.size() &&
         std::memcmp(bytes.data(), signature.data(), signature.size()) == 0;
}

std::string UpToZero(Bytes bytes) { return {bytes.begin(), std::ranges::find(bytes, std::uint8_t{0})}; }

// Three words take in twelve bytes at a time, and are mixed in between and at the end.
std::uint32_t Lookup3(Bytes bytes) {
  const std::uint32_t begin = 0xDEADBEEF + static_cast<std::uint32_t>(bytes.size());
  std::uint32_t a = begin;
  std::uint32_t b = begin;
  std::uint32_t c = begin;
  if (bytes.empty()) return c;
  const auto take = [&](Bytes part) {
    Cursor words(part);
    for (std::uint32_t* word : {&a, &b, &c})
      *word += static_cast<std::uint32_t>(words.Take(std::min<std::size_t>(4, words.rest().size())));
  };
  const auto mix = [](std::uint32_t& x, std::uint32_t& y, std::uint32_t& z, int turn) {
    x = (x - z) ^ std::rotl(z, turn);
    z += y;
  };
  for (; bytes.size() > 12; bytes = bytes.subspan(12)) {
    take(bytes.first(12));
    mix(a, b, c, 4);
    mix(b, c, a, 6);
    mix(c, a, b, 8);
    mix(a, b, c, 16);
    mix(b, c, a, 19);
    mix(c, a, b, 4);
  }
  take(bytes);
  const auto finish = [](std::uint32_t& x, std::uint32_t y, int turn) { x = (x ^ y) - std::rotl(y, turn); };
  finish(c, b, 14);
  finish(a, c, 11);
  finish(b, a, 25);
  finish(c, b, 16);
  finish(a, c, 4);
  finish(b, a, 14);
  finish(c, b, 24);
  return c;
}

File::File(Bytes bytes, std::uint64_t most, bool checksums)
    : bytes_(bytes), most_(most), checksums_(checksums) {
  if (!Recognises(bytes)) Fail("is not an HDF5 file");
  Cursor cursor(bytes);
  cursor.Skip(8);  // the signature
  const auto version = static_cast<unsigned>(cursor.Take(1));
  if (version > 3) Fail("has the HDF5 superblock version ", version, ", expected 0 to 3");
  if (version < 2)
    ReadSuperblock1(cursor, version);
  else
    ReadSuperblock2(cursor);
}

namespace {

void CheckSizes(Cursor& cursor) {
  const std::uint64_t address_size = cursor.Take(1);
  const std::uint64_t length_size = cursor.Take(1);
  if (cursor.good() && (address_size != 8 || length_size != 8))
    Fail("has addresses of ", address_size, " and lengths of ", length_size, " bytes, expected 8");
}

void CheckComplete(const Cursor& cursor) {
  if (!cursor.good()) Fail("was cut off in its superblock");
}

}  // namespace

void File::ReadSuperblock1(Cursor& cursor, unsigned version) {
  cursor.Skip(4);
  CheckSizes(cursor);
  cursor.Skip(version == 0 ? 9 : 13);
  const Address base = cursor.Take(8);
  cursor.Skip(8);
  const std::uint64_t end = cursor.Take(8);
  cursor.Skip(16);  // driver information, and the root's name
  root_ = cursor.Take(8);
  CheckComplete(cursor);
  CheckPlace(base, end);
}

void File::ReadSuperblock2(Cursor& cursor) {
  CheckSizes(cursor);
  cursor.Skip(1);
  const Address base = cursor.Take(8);
  cursor.Skip(8);  // its extension
  const std::uint64_t end = cursor.Take(8);
  root_ = cursor.Take(8);
  cursor.Skip(4);  // its checksum
  CheckComplete(cursor);
  constexpr std::uint64_t kSize = 48;
  (void)Checked(0, kSize, "the superblock");
  CheckPlace(base, end);
}

void File::CheckPlace(Address base, std::uint64_t end) const {
  if (base != 0) Fail("its HDF5 data begin at byte ", base, ", expected 0");
  if (end > bytes_.size()) Fail("was cut off: it has ", bytes_.size(), " bytes, expected ", end);
}

Bytes File::At(Address address, std::uint64_t size, std::string_view what) const {
  if (address > bytes_.size() || size > bytes_.size() - address) {
    Fail(what, " lies at ", address, " and takes ", size, " bytes, outside the file's ", bytes_.size());
  }
  return bytes_.subspan(address, size);
}

// Blocks don't share bytes, so that all of them together are no larger than the file.
void File::CheckSum(Bytes bytes, std::uint64_t expected, Address address, std::string_view what) const {
  summed_ += bytes.size();
  if (summed_ > bytes_.size()) Fail(what, " at ", address, " lies within another block");
  if (const std::uint32_t sum = Lookup3(bytes); sum != expected)
    Fail(what, " at ", address, " is damaged: its checksum is ", sum, ", expected ", expected);
}

bool File::IsUnchecked(Address address, std::uint64_t size) const {
  return checksums_ && checked_.emplace(address, size).second;
}

Bytes File::Checked(Address address, std::uint64_t size, std::string_view what) const {
  if (size < kSum) Fail(what, " at ", address, " has ", size, " bytes, expected at least ", kSum);
  const Bytes all = At(address, size, what);
  const Bytes content = all.first(size - kSum);
  if (IsUnchecked(address, size)) CheckSum(content, Cursor(all.last(kSum)).Take(kSum), address, what);
  return content;
}

Cursor File::Block(Address address, std::uint64_t size, std::string_view signature,
                   std::string_view what) const {
  if (!BeginsWith(At(address, signature.size(), what), signature))
    Fail(what, " at ", address, " is damaged: expected the letters ", signature);
  Cursor cursor(Checked(address, size, what));
  cursor.Skip(signature.size());
  if (const std::uint64_t version = cursor.Take(1); version != 0)
    Fail(what, " at ", address, " is of version ", version, ", expected 0");
  return cursor;
}

void File::Step() const {
  if (--steps_ < 0) Fail("its groups or lists of chunks have no end");
}

void File::Unpack(std::uint64_t bytes) const {
  if (bytes > most_ - unpacked_)
    Fail("its chunks take more than ", most_, " bytes, the most that is unpacked of a file of its size");
  unpacked_ += bytes;
}

void File::Keep(std::uint64_t bytes, std::uint64_t passing) const {
  const std::uint64_t left = most_ - kept_;
  if (bytes > left || passing > left - bytes)
    Fail("would take ", bytes, " bytes of memory, and ", passing, " while it is read; ", left,
         " are left of the ", most_, " that a file of its size may take");
  kept_ += bytes;
}

}  // namespace mobilenet::hdf5
