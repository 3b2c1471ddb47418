// Attributes of HDF5 objects that are texts.
#pragma once

#include <string>
#include <string_view>

#include "formats/hdf5_file.h"

namespace mobilenet::hdf5 {

// The attribute of that name, the first text of several; empty where the object has none of that name. Throws
// Error where it is no text.
std::string TextAttribute(const File& file, Address object, std::string_view name);

}  // namespace mobilenet::hdf5
