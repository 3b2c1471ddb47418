#include "formats/hdf5.h"

#include <algorithm>

#include "base/fail.h"
#include "formats/hdf5_attributes.h"
#include "formats/hdf5_dataset.h"
#include "formats/hdf5_links.h"

namespace mobilenet {
namespace {

hdf5::File Open(std::span<const std::uint8_t> bytes, const std::string& name, const Hdf5Options& options) {
  const std::uint64_t size =
      options.packed == 0 ? bytes.size() : std::min<std::uint64_t>(options.packed, bytes.size());
  return InContext(name, [&] { return hdf5::File(bytes, Hdf5::kMostGrowth * size, options.checksums); });
}

}  // namespace

Hdf5::Hdf5(std::span<const std::uint8_t> bytes, std::string_view name, const Hdf5Options& options)
    : name_(name), file_(Open(bytes, name_, options)) {}

std::map<std::string, Hdf5::Address> Hdf5::Children(Address object) const {
  return InContext(name_, [&] { return hdf5::LinksOf(file_, object); });
}

std::string Hdf5::Text(Address object, std::string_view attribute) const {
  return InContext(name_, [&] { return hdf5::TextAttribute(file_, object, attribute); });
}

bool Hdf5::IsDataset(Address object) const {
  return InContext(name_, [&] { return hdf5::IsDataset(file_, object); });
}

Tensor Hdf5::Floats(Address object, std::string_view name) const {
  return InContext(Concat(name_, ": the dataset ", name), [&] { return hdf5::ReadDataset(file_, object); });
}

}  // namespace mobilenet
