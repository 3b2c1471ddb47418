// Reading a JSON object from a file field by field, by type.
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/enum_names.h"
#include "base/fail.h"
#include "formats/json.h"
#include "mobilenet/network.h"

namespace mobilenet {

// The fields of one object. Each reader fails by naming place, field, expected and found; Finish fails for a
// field that nobody asked for, which a newer version of the format may have written.
class Fields {
 public:
  // `where` begins messages: "model.safetensors: the metadata network". Throws Error where `object` is none.
  Fields(std::string where, nlohmann::json object);

  [[nodiscard]] bool Has(const char* key) const { return object_.contains(key); }
  // A field of any type.
  const nlohmann::json& Get(const char* key);
  [[noreturn]] void Wrong(const char* key, std::string_view expected) const;
  void Finish() const;

  void Read(const char* key, double& value);
  void Read(const char* key, float& value);
  void Read(const char* key, int& value);
  void Read(const char* key, bool& value);
  void Read(const char* key, std::string& value);
  void Read(const char* key, std::vector<int>& value);
  void Read(const char* key, std::array<float, 3>& value);
  void Read(const char* key, Shape& value);       // [height, width, channels]
  void Read(const char* key, Padding& value);     // [top, bottom, left, right]
  void Read(const char* key, Resolution& value);  // a number, or [height, width]
  void Read(const char* key, Stride& value);      // a number, or [down, across]

  // Enumerators are stored by the names that NameOf gives them: don't rename.
  template <typename Enum>
  requires std::is_enum_v<Enum>
  void Read(const char* key, Enum& value) {
    std::string name;
    Read(key, name);
    const std::optional<Enum> found = FromName<Enum>(name);
    std::string expected;
    for (const std::string& each : NamesOf<Enum>()) expected += (expected.empty() ? "" : " or ") + each;
    if (!found) Wrong(key, expected);
    value = *found;
  }

 private:
  std::vector<int> Integers(const char* key, std::size_t count, std::string_view expected);

  std::string where_;
  nlohmann::json object_;
  std::set<std::string, std::less<>> seen_;
};

// The same types as JSON.
nlohmann::json ToJson(const Shape& shape);
nlohmann::json ToJson(const Padding& padding);
nlohmann::json ToJson(const Resolution& resolution);
// In the header for the program, which a shared library shows its public functions only.
inline nlohmann::json ToJson(const Stride& stride) {
  return stride.down == stride.across ? nlohmann::json(stride.down)
                                      : nlohmann::json{stride.down, stride.across};
}
template <typename T>
nlohmann::json ToJson(const T& value) {
  if constexpr (std::is_enum_v<T>) {
    return NameOf(value);
  } else {
    return value;
  }
}

}  // namespace mobilenet
