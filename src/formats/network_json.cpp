#include "formats/network_json.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "base/fail.h"
#include "formats/json_fields.h"
#include "network/fields.h"

namespace mobilenet {
namespace {

using nlohmann::json;

// All fields of a recipe's options, or of a layer.
template <typename Described>
json FieldsJson(const Described& described) {
  json object = json::object();
  VisitFields(described,
              [&](const char* name, const auto& value, const Allowed&) { object[name] = ToJson(value); });
  return object;
}

template <typename Described>
void ReadFields(Fields& fields, Described& described) {
  VisitFields(described, [&](const char* name, auto& value, const Allowed&) { fields.Read(name, value); });
  fields.Finish();
}

Recipe ReadRecipe(Fields fields) {
  std::string version;
  fields.Read("version", version);
  std::optional<Recipe> recipe = RecipeNamed(version);
  if (!recipe) {
    std::string names;
    for (const std::string& name : RecipeNames()) names += (names.empty() ? "" : " or ") + name;
    fields.Wrong("version", names);
  }
  std::visit([&](auto& options) { ReadFields(fields, options); }, *recipe);
  return *recipe;
}

}  // namespace

json RecipeJson(const Recipe& recipe) {
  json object = std::visit([](const auto& options) { return FieldsJson(options); }, recipe);
  object["version"] = NameOf(recipe);
  return object;
}

json NetworkJson(const Network& network) {
  json layers = json::array();
  for (const Layer& layer : network.layers) layers.push_back(FieldsJson(layer));
  json object = {{"input", ToJson(network.input)}, {"layers", std::move(layers)}};
  if (const std::optional<Recipe> recipe = RecipeOf(network)) object["recipe"] = RecipeJson(*recipe);
  return object;
}

Network ReadNetworkJson(const std::string& where, json value) {
  Fields fields(where, std::move(value));
  Network network;
  fields.Read("input", network.input);
  const json& layers = fields.Get("layers");
  if (!layers.is_array()) fields.Wrong("layers", "a list");
  for (const json& each : layers) {
    Fields of_layer(Concat(where, ", layer ", network.layers.size()), each);
    ReadFields(of_layer, network.layers.emplace_back());
  }
  if (fields.Has("recipe")) network.recipe = ReadRecipe(Fields(where + ", recipe", fields.Get("recipe")));
  fields.Finish();
  InContext(where, [&] {
    CheckNetwork(network);
    if (network.recipe && Build(*network.recipe).layers != network.layers)
      Fail("the recipe makes other layers than those beside it");
  });
  return network;
}

Network ReadRecipeOfV1(const std::string& where, json value) {
  Recipe recipe = ReadRecipe(Fields(where, std::move(value)));
  if (!std::holds_alternative<V1Options>(recipe))
    Fail(where, " is of version ", NameOf(recipe), ", expected v1 in a file of format 1");
  return Build(recipe);
}

}  // namespace mobilenet
