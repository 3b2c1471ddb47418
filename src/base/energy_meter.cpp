#include "base/energy_meter.h"

#include <fstream>
#include <string>
#include <system_error>

namespace mobilenet {
namespace {

std::optional<std::uint64_t> ReadNumber(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::uint64_t value = 0;
  if (!(file >> value)) return std::nullopt;
  return value;
}

// "intel-rapl:0" is a package; "intel-rapl:0:1" is a part of one, or its DRAM.
bool IsPackage(const std::string& name) {
  const auto colon = name.find(':');
  return name.starts_with("intel-rapl:") && name.find(':', colon + 1) == std::string::npos;
}

}  // namespace

EnergyMeter::EnergyMeter(const std::filesystem::path& directory) {
  std::error_code error;
  for (std::filesystem::directory_iterator item(directory, error), end; !error && item != end;
       item.increment(error)) {
    const std::filesystem::path& folder = item->path();
    if (!IsPackage(folder.filename().string())) continue;
    Package package{folder / "energy_uj", 0, std::nullopt};
    // "psys" is the whole board, which holds the packages.
    std::string name;
    std::ifstream(folder / "name") >> name;
    const auto range = ReadNumber(folder / "max_energy_range_uj");
    if (!name.starts_with("package") || !range || !ReadNumber(package.counter)) continue;
    package.range = *range;
    packages_.push_back(package);
  }
}

void EnergyMeter::Start() {
  for (Package& package : packages_) package.start = ReadNumber(package.counter);
}

std::optional<double> EnergyMeter::Stop() {
  if (packages_.empty()) return std::nullopt;
  double microjoules = 0;
  for (Package& package : packages_) {
    const auto now = ReadNumber(package.counter);
    if (!now || !package.start) return std::nullopt;
    const bool wrapped = *now < *package.start;
    microjoules += static_cast<double>(*now - *package.start + (wrapped ? package.range + 1 : 0));
  }
  return microjoules / 1e3;
}

void EnergyShare::Add(std::optional<double> millijoules, double done) {
  metered_ = metered_ && millijoules;
  millijoules_ += millijoules.value_or(0);
  done_ += done;
}

std::optional<double> EnergyShare::Each() const {
  return metered_ && done_ > 0 ? std::optional(millijoules_ / done_) : std::nullopt;
}

}  // namespace mobilenet
