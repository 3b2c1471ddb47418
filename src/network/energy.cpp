#include "mobilenet/energy.h"

#include "network/schedule.h"

namespace mobilenet {
namespace {

struct Prices {       // picojoules
  double mult_add;    // one multiplication and one addition
  double cache_byte;  // to or from a cache of 1 MB
  double dram_byte;
};

Prices PricesOf(Precision precision) {
  constexpr double kCacheByte = 100.0 / 8;
  constexpr double kDramByte = 1950.0 / 8;
  switch (precision) {
    case Precision::kFloat32:
      return {3.7 + 0.9, kCacheByte, kDramByte};
    case Precision::kBfloat16:
      return {1.1 + 0.9, kCacheByte, kDramByte};
    case Precision::kFloat16:
      return {1.1 + 0.4, kCacheByte, kDramByte};
    case Precision::kInt8:
      return {0.2 + 0.1, kCacheByte, kDramByte};
  }
  return {};
}

}  // namespace

Energy EstimateEnergy(const Network& network, Precision precision) {
  const Cost cost = CostOf(network, precision);
  const Prices prices = PricesOf(precision);
  const double bytes_a_value = static_cast<double>(cost.layers.front().activation_bytes) /
                               static_cast<double>(network.layers.front().output.size());
  double map_bytes = 0;
  for (const StepLayers& step : StepsOf(network)) {
    std::int64_t values = network.layers[step.last()].output.size();
    values += network.layers[step.first()].input.size();
    if (step.inputs.size() > 1) values += network.layers[step.last()].input.size();  // what is added
    map_bytes += static_cast<double>(values) * bytes_a_value;
  }
  const double picojoules = static_cast<double>(cost.macs) * prices.mult_add + map_bytes * prices.cache_byte +
                            static_cast<double>(cost.weight_bytes) * prices.dram_byte;
  return {picojoules / 1e9, EnergySource::kEstimated};
}

std::string_view NameOf(EnergySource source) {
  switch (source) {
    case EnergySource::kMeasured:
      return "measured";
    case EnergySource::kPredicted:
      return "predicted";
    case EnergySource::kEstimated:
      return "estimated";
  }
  return "";
}

}  // namespace mobilenet
