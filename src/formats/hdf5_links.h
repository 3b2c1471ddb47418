// The objects in an HDF5 group.
#pragma once

#include <map>
#include <string>

#include "formats/hdf5_file.h"

namespace mobilenet::hdf5 {

// By name; empty for an object that is no group. Throws Error for a link that is not to an object of the
// file.
std::map<std::string, Address> LinksOf(const File& file, Address object);

}  // namespace mobilenet::hdf5
