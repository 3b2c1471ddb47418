// The processor's energy counters.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace mobilenet {

// Reads the energy counters of Linux's powercap framework (RAPL on Intel and AMD processors), which many
// systems show to root only. Of a package: its DRAM, where that is counted at all, is counted apart and not
// here. One thread at a time.
class EnergyMeter {
 public:
  // Counters are looked for in `directory`, one folder for each package, named like "intel-rapl:0".
  explicit EnergyMeter(const std::filesystem::path& directory = "/sys/class/powercap");

  // Whether there is a counter that can be read.
  [[nodiscard]] bool available() const { return !packages_.empty(); }

  // Begins a stretch of work.
  void Start();
  // The millijoules that all packages together drew since Start; nothing where there is no counter or one
  // could not be read. A counter that wrapped around once meanwhile is counted on.
  [[nodiscard]] std::optional<double> Stop();

 private:
  struct Package {
    std::filesystem::path counter;  // microjoules
    std::uint64_t range = 0;        // the largest value before it starts again from 0
    std::optional<std::uint64_t> start;
  };
  std::vector<Package> packages_;
};

// The energy of stretches of work, by what was done in them.
class EnergyShare {
 public:
  // A stretch in which so much was done, and what EnergyMeter::Stop said of it.
  void Add(std::optional<double> millijoules, double done);
  // The millijoules for each that was done; nothing where a stretch could not be measured or none was added.
  [[nodiscard]] std::optional<double> Each() const;

 private:
  double millijoules_ = 0;
  double done_ = 0;
  bool metered_ = true;
};

}  // namespace mobilenet
