#include "formats/json_fields.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace mobilenet {
namespace {

bool IsInteger(const nlohmann::json& value) {
  return value.is_number_integer() && std::abs(value.get<double>()) < 1e9;
}

}  // namespace

Fields::Fields(std::string where, nlohmann::json object)
    : where_(std::move(where)), object_(std::move(object)) {
  if (!object_.is_object()) Fail(where_, " is not a JSON object");
}

const nlohmann::json& Fields::Get(const char* key) {
  seen_.insert(key);
  const auto found = object_.find(key);
  if (found == object_.end()) Fail(where_, " lacks the field ", key);
  return *found;
}

void Fields::Wrong(const char* key, std::string_view expected) const {
  Fail(where_, " has ", key, " = ", Shown(object_.at(key)), ", expected ", expected);
}

void Fields::Finish() const {
  for (const auto& [key, value] : object_.items()) {
    if (!seen_.contains(key)) Fail(where_, " has the unknown field ", key);
  }
}

void Fields::Read(const char* key, double& value) {
  if (!Get(key).is_number()) Wrong(key, "a number");
  value = Get(key).get<double>();
}

void Fields::Read(const char* key, float& value) {
  double number = 0;
  Read(key, number);
  value = static_cast<float>(number);
}

void Fields::Read(const char* key, int& value) {
  if (!IsInteger(Get(key))) Wrong(key, "a whole number");
  value = Get(key).get<int>();
}

void Fields::Read(const char* key, bool& value) {
  if (!Get(key).is_boolean()) Wrong(key, "true or false");
  value = Get(key).get<bool>();
}

void Fields::Read(const char* key, std::string& value) {
  if (!Get(key).is_string()) Wrong(key, "text");
  value = Get(key).get<std::string>();
}

void Fields::Read(const char* key, std::vector<int>& value) {
  const nlohmann::json& list = Get(key);
  if (!list.is_array() || !std::ranges::all_of(list, IsInteger)) Wrong(key, "a list of whole numbers");
  value = list.get<std::vector<int>>();
}

void Fields::Read(const char* key, std::array<float, 3>& value) {
  const nlohmann::json& list = Get(key);
  const auto finite = [](const nlohmann::json& v) { return v.is_number() && std::isfinite(v.get<float>()); };
  if (!list.is_array() || list.size() != value.size() || !std::ranges::all_of(list, finite))
    Wrong(key, "three finite numbers");
  value = list.get<std::array<float, 3>>();
}

std::vector<int> Fields::Integers(const char* key, std::size_t count, std::string_view expected) {
  const nlohmann::json& list = Get(key);
  if (!list.is_array() || list.size() != count || !std::ranges::all_of(list, IsInteger)) Wrong(key, expected);
  return list.get<std::vector<int>>();
}

void Fields::Read(const char* key, Shape& value) {
  const auto n = Integers(key, 3, "[height, width, channels]");
  value = {n[0], n[1], n[2]};
}

void Fields::Read(const char* key, Padding& value) {
  const auto n = Integers(key, 4, "[top, bottom, left, right]");
  value = {n[0], n[1], n[2], n[3]};
}

void Fields::Read(const char* key, Resolution& value) {
  if (IsInteger(Get(key))) {
    value = Get(key).get<int>();
    return;
  }
  const auto n = Integers(key, 2, "a whole number or [height, width]");
  value = {n[0], n[1]};
}

void Fields::Read(const char* key, Stride& value) {
  if (IsInteger(Get(key))) {
    value = Get(key).get<int>();
    return;
  }
  const auto n = Integers(key, 2, "a whole number or [down, across]");
  value = {n[0], n[1]};
}

nlohmann::json ToJson(const Shape& shape) { return {shape.height, shape.width, shape.channels}; }
nlohmann::json ToJson(const Padding& p) { return {p.top, p.bottom, p.left, p.right}; }
nlohmann::json ToJson(const Resolution& r) {
  return r.height == r.width ? nlohmann::json(r.height) : nlohmann::json{r.height, r.width};
}

}  // namespace mobilenet
