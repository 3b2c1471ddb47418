#include "cli/quantity.h"

#include <charconv>
#include <cmath>

#include "base/fail.h"

namespace mobilenet::cli {
namespace {

std::string Names(const std::vector<Unit>& units) {
  std::string names;
  for (std::size_t i = 0; i < units.size(); ++i) {
    names += i == 0 ? "" : (i + 1 == units.size() ? " or " : ", ");
    names += units[i].name;
  }
  return names;
}

}  // namespace

const std::vector<Unit>& TimeUnits() {
  static const std::vector<Unit> units = {{"us", 1e-3}, {"ms", 1}, {"s", 1e3}};
  return units;
}

const std::vector<Unit>& ByteUnits() {
  static const std::vector<Unit> units = {
      {"B", 1},        {"kB", 1e3},        {"MB", 1e6},          {"GB", 1e9},
      {"KiB", 1024.0}, {"MiB", 1048576.0}, {"GiB", 1073741824.0}};
  return units;
}

const std::vector<Unit>& CountUnits() {
  static const std::vector<Unit> units = {{"k", 1e3}, {"M", 1e6}, {"G", 1e9}};
  return units;
}

const std::vector<Unit>& PixelUnits() {
  static const std::vector<Unit> units = {{"", 1}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}};
  return units;
}

const std::vector<Unit>& EnergyUnits() {
  static const std::vector<Unit> units = {{"uJ", 1e-3}, {"mJ", 1}, {"J", 1e3}};
  return units;
}

std::optional<double> ParseQuantity(std::string_view text, const std::vector<Unit>& units) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || !std::isfinite(value) || value <= 0) return std::nullopt;
  std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()));
  if (rest.starts_with(' ')) rest.remove_prefix(1);
  for (const Unit& unit : units) {
    const double converted = value * unit.factor;
    if (rest == unit.name && std::isfinite(converted) && converted > 0) return converted;
  }
  return std::nullopt;
}

CLI::Option* AddQuantity(CLI::App& command, const std::string& name, std::optional<double>& value,
                         const std::vector<Unit>& units, const std::string& example,
                         const std::string& description) {
  const auto set = [name, &value, &units, example](const CLI::results_t& texts) {
    value = ParseQuantity(texts.front(), units);
    if (value) return true;
    throw CLI::ValidationError("--" + name, Concat("expected a number above 0 with a unit (", Names(units),
                                                   ") such as ", example, ", found ", texts.front()));
  };
  return command.add_option("--" + name, set, description)->type_name(example);
}

}  // namespace mobilenet::cli
