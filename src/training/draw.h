// Drawing the pictures to validate with.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mobilenet/training_data.h"
#include "training/sides.h"

namespace mobilenet {

struct Drawn {
  Side training;
  Side validation;
  std::vector<std::string> unreadable;  // of each picture that can't be read, why
};

// Holds out about a share of the pictures that can be read, as TrainingData::Find says. Throws Error where a
// class has less than two different ones.
Drawn Draw(const Side& all, double share, std::uint64_t seed, const FindOptions& options);

}  // namespace mobilenet
