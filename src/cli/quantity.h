// Numbers with units on the command line: 5ms, 2MB, 100M.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"

namespace mobilenet::cli {

struct Unit {
  std::string_view name;
  double factor;  // to the unit that the option is kept in
};

// Milliseconds, bytes, plain numbers, pixels (also without a unit), millijoules.
const std::vector<Unit>& TimeUnits();
const std::vector<Unit>& ByteUnits();
const std::vector<Unit>& CountUnits();
const std::vector<Unit>& PixelUnits();
const std::vector<Unit>& EnergyUnits();

// "5ms" or "5 ms" with TimeUnits is 5. Nothing where the number is not finite and above 0, or the unit is not
// among them.
std::optional<double> ParseQuantity(std::string_view text, const std::vector<Unit>& units);

// --name, a quantity; `value` stays empty until given. What is wrong is said with an example that would be
// right.
CLI::Option* AddQuantity(CLI::App& command, const std::string& name, std::optional<double>& value,
                         const std::vector<Unit>& units, const std::string& example,
                         const std::string& description);

}  // namespace mobilenet::cli
