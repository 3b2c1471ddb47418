// What the library throws.
#pragma once

#include <stdexcept>
#include <string>

#include "mobilenet/export.h"

namespace mobilenet {

// Thrown for every failure that a caller can meet: an unreadable file, damaged data, an option out of range.
// what() is one sentence for a person: what failed, where, what was expected and what was found.
class MOBILENET_EXPORT Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// That memory ran out, which the same call may not meet again. (Where not even the message finds any,
// std::bad_alloc is thrown.)
class MOBILENET_EXPORT OutOfMemory : public Error {
 public:
  using Error::Error;
};

}  // namespace mobilenet
