#include "training/checkpoint.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <type_traits>
#include <utility>

#include "base/fail.h"
#include "base/fingerprint.h"
#include "formats/json.h"
#include "formats/safetensors.h"

namespace mobilenet {
namespace {

constexpr const char* kVersion = "5";

nlohmann::json ToJson(const EpochRecord& r) {
  return {r.epoch,           r.learning_rate,       r.training_loss, r.training_accuracy,
          r.validation_loss, r.validation_accuracy, r.seconds};
}

EpochRecord RecordFrom(const nlohmann::json& json, const std::string& file) {
  if (!json.is_array() || json.size() != 7 ||
      !std::ranges::all_of(json, [](const auto& v) { return v.is_number(); }))
    Fail(file, ": an epoch of its history is ", Shown(json), ", expected seven numbers");
  return {json[0].get<int>(),    json[1].get<double>(), json[2].get<double>(), json[3].get<double>(),
          json[4].get<double>(), json[5].get<double>(), json[6].get<double>()};
}

template <typename T>
T Number(const nlohmann::json& state, const char* field, const std::string& file) {
  // No epoch has a larger number; beyond 2^53 a double skips whole numbers.
  constexpr T kMost = static_cast<T>(std::is_same_v<T, int> ? 1'000'000'000 : std::int64_t{1} << 53);
  const auto found = state.find(field);
  const bool number = found != state.end() && found->is_number();
  if (!number || !(found->template get<double>() >= 0 && found->template get<double>() <= kMost))
    Fail(file, ": its \"", field, "\" is ", found == state.end() ? "missing" : Shown(*found),
         ", expected a number from 0 to ", kMost);
  return found->template get<T>();
}

using Bytes = std::map<std::string, std::span<const std::uint8_t>>;

// Of all that counts.
std::string FingerprintOf(const std::map<std::string, std::string>& metadata, const Bytes& tensors) {
  Fingerprint fingerprint;
  for (const char* key : {"options", "state"}) fingerprint.Add(metadata.at(key));
  for (const auto& [name, bytes] : tensors) {
    fingerprint.Add(name);
    fingerprint.Add(bytes);
  }
  return fingerprint.Text();
}

// Opened, and told to be a checkpoint of this version that is as it was written.
Safetensors Open(const std::filesystem::path& path) {
  Safetensors file = OpenSafetensors(path);
  for (const char* key : {"checkpoint_version", "options", "state", "fingerprint"}) {
    if (!file.metadata.contains(key))
      Fail(file.name, ": is no checkpoint of training: \"", key, "\" is missing");
  }
  if (const std::string& version = file.metadata.at("checkpoint_version"); version != kVersion)
    Fail(file.name, ": is a checkpoint of version \"", version.substr(0, 20), "\", expected ", kVersion,
         ": finish it with the program that made it, or remove it");
  Bytes tensors;
  for (const auto& [name, entry] : file.entries) tensors[name] = entry.bytes;
  if (FingerprintOf(file.metadata, tensors) != file.metadata.at("fingerprint"))
    Fail(file.name, ": is damaged: it is not as it was written, and can't be resumed from");
  return file;
}

nlohmann::json ObjectOf(const Safetensors& file, const char* key) {
  nlohmann::json json = ParseJson(file.metadata.at(key));
  if (!json.is_object()) Fail(file.name, ": its \"", key, "\" is no JSON object");
  return json;
}

std::string TraitOf(const nlohmann::json& options, const std::string& name, const std::string& file) {
  const auto found = options.find(name);
  if (found == options.end() || !found->is_string()) Fail(file, ": doesn't say its ", name);
  return found->get<std::string>().substr(0, 100);
}

}  // namespace

void SaveCheckpoint(const std::filesystem::path& path, const TrainingState& state, const Identity& identity) {
  Weights tensors;
  const auto add = [&](const char* name, const std::vector<float>& values) {
    if (values.empty()) return;
    if (!std::ranges::all_of(values, [](float v) { return std::isfinite(v); }))
      Fail(path.string(), ": is not written: the tensor ", name, " holds infinity or not-a-number");
    tensors[name] = {{static_cast<std::int64_t>(values.size())}, values, nullptr};  // borrowed for this call
  };
  add("values", state.values);
  add("average", state.average);
  add("first", state.first);
  add("velocity", state.velocity);
  add("squares", state.squares);
  nlohmann::json position = {
      {"step", state.step},         {"epoch", state.epoch},     {"step_in_epoch", state.step_in_epoch},
      {"loss_sum", state.loss_sum}, {"correct", state.correct}, {"seen", state.seen},
      {"seconds", state.seconds},   {"changes", state.changes}, {"history", nlohmann::json::array()}};
  for (const EpochRecord& record : state.history) position["history"].push_back(ToJson(record));
  nlohmann::json options = nlohmann::json::object();
  for (const Trait& trait : identity) options[trait.name] = trait.value;
  Bytes bytes;
  for (const auto& [name, tensor] : tensors)
    bytes[name] = {reinterpret_cast<const std::uint8_t*>(tensor.values.data()), tensor.values.size_bytes()};
  std::map<std::string, std::string> metadata = {{"checkpoint_version", kVersion},
                                                 {"options", DumpedStrictly(options)},
                                                 {"state", DumpedStrictly(position)}};
  metadata["fingerprint"] = FingerprintOf(metadata, bytes);
  WriteSafetensors(path, metadata, tensors);
}

std::vector<Difference> Differences(const std::filesystem::path& path, const Identity& identity) {
  const Safetensors file = Open(path);
  const nlohmann::json options = ObjectOf(file, "options");
  std::vector<Difference> differences;
  for (const Trait& trait : identity) {
    const std::string before = TraitOf(options, trait.name, file.name);
    if (before == trait.value) continue;
    if (trait.fixed) {
      Fail(file.name, ": was made with ", trait.name, " ", before, ", now it is ", trait.value,
           ": give the same options and data to go on, or remove it to begin anew");
    }
    differences.push_back({trait.name, before, trait.value});
  }
  return differences;
}

std::string SavedTrait(const std::filesystem::path& path, const std::string& name) {
  const Safetensors file = Open(path);
  return TraitOf(ObjectOf(file, "options"), name, file.name);
}

TrainingState LoadCheckpoint(const std::filesystem::path& path, std::size_t weights) {
  const Safetensors file = Open(path);
  const nlohmann::json position = ObjectOf(file, "state");
  TrainingState state;
  for (const auto& [name, values] : {std::pair{"values", &state.values}, std::pair{"average", &state.average},
                                     std::pair{"first", &state.first}, std::pair{"velocity", &state.velocity},
                                     std::pair{"squares", &state.squares}}) {
    if (!file.entries.contains(name)) continue;
    const Tensor tensor = file.Floats(name);
    if (tensor.values.size() != weights) {
      Fail(file.name, ": the tensor ", name, " has ", tensor.values.size(), " values, expected ", weights);
    }
    for (const float value : tensor.values) {
      if (!std::isfinite(value)) Fail(file.name, ": the tensor ", name, " holds infinity or not-a-number");
    }
    values->assign(tensor.values.begin(), tensor.values.end());
  }
  if (state.values.empty()) Fail(file.name, ": the tensor values is missing");
  state.step = Number<std::int64_t>(position, "step", file.name);
  state.epoch = Number<int>(position, "epoch", file.name);
  state.step_in_epoch = Number<int>(position, "step_in_epoch", file.name);
  state.loss_sum = Number<double>(position, "loss_sum", file.name);
  state.correct = Number<std::int64_t>(position, "correct", file.name);
  state.seen = Number<std::int64_t>(position, "seen", file.name);
  state.seconds = Number<double>(position, "seconds", file.name);
  const auto history = position.find("history");
  if (history == position.end() || !history->is_array()) Fail(file.name, ": its history is missing");
  for (const auto& record : *history) state.history.push_back(RecordFrom(record, file.name));
  const auto changes = position.find("changes");
  if (changes == position.end() || !changes->is_array() ||
      !std::ranges::all_of(*changes, [](const auto& change) { return change.is_string(); }))
    Fail(file.name, ": its list of changes is missing");
  for (const auto& change : *changes) state.changes.push_back(change.template get<std::string>());
  if (static_cast<int>(state.history.size()) != state.epoch) {
    Fail(file.name, ": its history has ", state.history.size(), " epochs, expected ", state.epoch);
  }
  return state;
}

}  // namespace mobilenet
