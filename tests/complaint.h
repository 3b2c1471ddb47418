// What a function complains about.
#pragma once

#include <string>

#include "mobilenet/error.h"

namespace mobilenet {

// The message of the Error that `function` throws; "no error" where it throws none.
template <typename Function>
std::string Complaint(Function function) {
  try {
    function();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace mobilenet
