// What all recipes have in common.
#include <algorithm>
#include <string>
#include <type_traits>

#include "base/fail.h"
#include "mobilenet/network.h"
#include "network/fields.h"
#include "network/kinds.h"
#include "network/shapes.h"

namespace mobilenet {
namespace {

template <typename... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <typename... Functions>  // Clang 14 needs to be told
Overloaded(Functions...)->Overloaded<Functions...>;

// A field's name in a sentence.
std::string Words(std::string name) {
  std::ranges::replace(name, '_', ' ');
  return name;
}

template <typename Number>
void CheckNumber(const char* name, Number value, const Allowed& allowed) {
  if (!allowed.fits(static_cast<double>(value)))
    Fail(Words(name), " is ", value, ", expected ", allowed.expected);
}

template <typename Enum>
void CheckEnumerator(const char* name, Enum value) {
  if (NameOf(value).empty())
    Fail("the ", Words(name), " ", static_cast<int>(value), " is none that there is");
}

std::string Sides(const Shape& shape) { return Concat(shape.height, " x ", shape.width); }

// The padding that keeps its meaning when the map gets another size.
void PlaceAgain(const Layer& before, Layer& layer) {
  if (!TraitsOf(layer.kind).window) return;
  Layer same = before;
  PlaceWindow(PaddingStyle::kSame, same);
  if (same.padding == before.padding) PlaceWindow(PaddingStyle::kSame, layer);
}

}  // namespace

void CheckRecipe(const Recipe& recipe) {
  const auto check = Overloaded{
      [](const char* name, const Resolution& sides, const Allowed& allowed) {
        CheckNumber(name, sides.height, allowed);
        CheckNumber(name, sides.width, allowed);
      },
      [](const char* name, PaddingStyle style, const Allowed&) { CheckEnumerator(name, style); },
      [](const char* name, Activation activation, const Allowed&) { CheckEnumerator(name, activation); },
      [](const char*, bool, const Allowed&) {},
      [](const char* name, int number, const Allowed& allowed) { CheckNumber(name, number, allowed); },
      [](const char* name, double number, const Allowed& allowed) { CheckNumber(name, number, allowed); }};
  std::visit([&](const auto& options) { VisitFields(options, check); }, recipe);
}

Network Build(const Recipe& recipe) {
  return std::visit(Overloaded{[](const V1Options& options) { return V1(options); },
                               [](const V2Options& options) { return V2(options); }},
                    recipe);
}

std::string_view NameOf(const Recipe& recipe) {
  return std::visit(Overloaded{[](const V1Options&) { return std::string_view("v1"); },
                               [](const V2Options&) { return std::string_view("v2"); }},
                    recipe);
}

std::optional<Recipe> RecipeNamed(std::string_view name) {
  for (const Recipe& recipe : {Recipe(V1Options()), Recipe(V2Options())}) {
    if (NameOf(recipe) == name) return recipe;
  }
  return std::nullopt;
}

std::string_view VersionOf(const Network& network) {
  return network.recipe ? NameOf(*network.recipe) : "custom";
}

std::string TitleOf(const Network& network) {
  if (!network.recipe) return "custom network, " + Sides(network.input);
  std::string title(NameOf(*network.recipe));
  title = "MobileNet V" + title.substr(1);
  if (const auto* v1 = std::get_if<V1Options>(&*network.recipe)) {
    if (v1->shallow) title += " shallow";
    if (!v1->separable) title += " of standard convolutions";
  }
  const double alpha = std::visit([](const auto& options) { return options.alpha; }, *network.recipe);
  return Concat(title, ", alpha ", alpha, ", ", Sides(network.input));
}

Network WithResolution(const Network& network, Resolution resolution) {
  if (network.recipe) {
    Recipe recipe = *network.recipe;
    std::visit([&](auto& options) { options.resolution = resolution; }, recipe);
    return Build(recipe);
  }
  CheckNetwork(network);
  Network resized = network;
  resized.input.height = resolution.height;
  resized.input.width = resolution.width;
  for (std::size_t i = 0; i < resized.layers.size(); ++i) {
    Layer& layer = resized.layers[i];
    const int from = layer.inputs.front();
    layer.input =
        from == kNetworkInput ? resized.input : resized.layers[static_cast<std::size_t>(from)].output;
    PlaceAgain(network.layers[i], layer);
    layer.output = OutputOf(layer);
  }
  CheckNetwork(resized);
  return resized;
}

Network WithClasses(const Network& network, int classes) {
  if (!kAllowedClasses.fits(classes)) Fail("classes is ", classes, ", expected ", kAllowedClasses.expected);
  if (network.recipe) {
    Recipe recipe = *network.recipe;
    std::visit([&](auto& options) { options.classes = classes; }, recipe);
    return Build(recipe);
  }
  CheckNetwork(network);
  Network other = network;
  Layer& last = other.layers.back();
  if (last.kind != LayerKind::kFullyConnected)
    Fail("the network ends with ", last.name, ", which is ", NameOf(last.kind),
         ": its classes can't be changed, expected a fully connected layer");
  last.output.channels = classes;
  return other;
}

}  // namespace mobilenet
