// HDF5 datasets of floating-point values.
#pragma once

#include "formats/hdf5_file.h"
#include "mobilenet/tensor.h"

namespace mobilenet::hdf5 {

bool IsDataset(const File& file, Address object);

// The values, as float32; what was never written has the fill value. Throws Error for what is not read, and
// for what is larger than the file's size allows.
Tensor ReadDataset(const File& file, Address object);

}  // namespace mobilenet::hdf5
