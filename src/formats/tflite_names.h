// What the numbers in TensorFlow Lite files stand for, for messages.
#pragma once

#include <string>

namespace mobilenet {

// "int8", or "number 99" for a type of tensors that we have no name for.
std::string NameOfTfliteType(int type);

// "HARD_SWISH", or "number 500" for an operator that we have no name for.
std::string NameOfTfliteOperator(int code);

}  // namespace mobilenet
