// What all recipes have in common.
#include <algorithm>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/enum_names.h"
#include "base/fail.h"
#include "mobilenet/network.h"
#include "network/fields.h"
#include "network/kinds.h"
#include "network/part.h"
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

// Whether the style explains all paddings of a network.
bool PadsAs(PaddingStyle style, const Network& network) {
  return std::ranges::all_of(network.layers, [style](const Layer& layer) {
    return !TraitsOf(layer.kind).window || IsPaddedAs(style, layer);
  });
}

// Of the styles whose zeros depend on a map's size, the first that explains all paddings.
std::optional<PaddingStyle> StyleOf(const Network& network) {
  for (const PaddingStyle style : {PaddingStyle::kSame, PaddingStyle::kKeras}) {
    if (PadsAs(style, network)) return style;
  }
  return std::nullopt;
}

// What the last layer reads becomes the output.
Network WithoutLast(Network network) {
  const int before = network.layers.back().inputs.front();
  if (before == kNetworkInput) Fail("the network is a classifier alone, and nothing is left without it");
  network.layers.resize(static_cast<std::size_t>(before) + 1);
  return network;
}

void AppendClassifier(Network& network) {
  Layer layer;
  layer.name = "classifier";
  while (std::ranges::count(network.layers, layer.name, &Layer::name) > 0) layer.name += "_";
  layer.kind = LayerKind::kFullyConnected;
  layer.inputs = {static_cast<int>(network.layers.size()) - 1};
  layer.input = layer.output = network.output();
  layer.bias = true;
  network.layers.push_back(std::move(layer));
}

// One recipe, or one for each variant where the options have some.
template <typename Options>
void AppendVersions(Options options, std::vector<Recipe>& recipes) {
  if constexpr (requires { options.variant; }) {
    for (const auto variant : AllOf<decltype(options.variant)>()) {
      options.variant = variant;
      recipes.emplace_back(options);
    }
  } else {
    recipes.emplace_back(options);
  }
}

template <typename... Options>
std::vector<Recipe> VersionsOf(const std::variant<Options...>&) {
  std::vector<Recipe> recipes;
  (AppendVersions(Options(), recipes), ...);
  return recipes;
}

// All recipes, with their other options at the defaults, by the order of the variant.
std::vector<Recipe> AllRecipes() { return VersionsOf(Recipe()); }

std::string FamilyTitle(const V1Options& v1) {
  return Concat("V1", v1.shallow ? " shallow" : "", v1.separable ? "" : " of standard convolutions");
}

std::string FamilyTitle(const V2Options&) { return "V2"; }

std::string FamilyTitle(const V3Options& v3) {
  switch (v3.variant) {
    case V3Variant::kLarge:
      return "V3-Large";
    case V3Variant::kSmall:
      return "V3-Small";
    case V3Variant::kLargeMinimalistic:
      return "V3-Large minimalistic";
    case V3Variant::kSmallMinimalistic:
      return "V3-Small minimalistic";
  }
  return "";
}

std::string FamilyTitle(const V4Options& v4) {
  switch (v4.variant) {
    case V4Variant::kConvSmall:
      return "V4 Conv-S";
    case V4Variant::kConvMedium:
      return "V4 Conv-M";
    case V4Variant::kConvLarge:
      return "V4 Conv-L";
  }
  return "";
}

}  // namespace

void CheckRecipe(const Recipe& recipe) {
  if (NameOf(recipe).empty()) Fail("the variant is none that there is");
  const auto check = Overloaded{
      [](const char* name, const Resolution& sides, const Allowed& allowed) {
        CheckNumber(name, sides.height, allowed);
        CheckNumber(name, sides.width, allowed);
      },
      [](const char* name, PaddingStyle style, const Allowed&) { CheckEnumerator(name, style); },
      [](const char* name, V3Widths widths, const Allowed&) { CheckEnumerator(name, widths); },
      [](const char* name, Activation activation, const Allowed&) { CheckEnumerator(name, activation); },
      [](const char*, bool, const Allowed&) {},
      [](const char* name, int number, const Allowed& allowed) { CheckNumber(name, number, allowed); },
      [](const char* name, double number, const Allowed& allowed) { CheckNumber(name, number, allowed); }};
  std::visit([&](const auto& options) { VisitFields(options, check); }, recipe);
}

Network Build(const Recipe& recipe) {
  return std::visit(Overloaded{[](const V1Options& options) { return V1(options); },
                               [](const V2Options& options) { return V2(options); },
                               [](const V3Options& options) { return V3(options); },
                               [](const V4Options& options) { return V4(options); }},
                    recipe);
}

std::string_view NameOf(const Recipe& recipe) {
  return std::visit(Overloaded{[](const V1Options&) { return std::string_view("v1"); },
                               [](const V2Options&) { return std::string_view("v2"); },
                               [](const V3Options& options) { return NameOf(options.variant); },
                               [](const V4Options& options) { return NameOf(options.variant); }},
                    recipe);
}

std::vector<std::string> RecipeNames() {
  std::vector<std::string> names;
  for (const Recipe& recipe : AllRecipes()) names.emplace_back(NameOf(recipe));
  return names;
}

std::optional<Recipe> RecipeNamed(std::string_view name) {
  for (const Recipe& recipe : AllRecipes()) {
    if (NameOf(recipe) == name) return recipe;
  }
  return std::nullopt;
}

std::optional<Recipe> RecipeOf(const Network& network) {
  if (!network.recipe) return std::nullopt;
  try {
    const Network built = Build(*network.recipe);
    return built.layers == network.layers && built.input == network.input ? network.recipe : std::nullopt;
  } catch (const Error&) {  // an option out of its range
    return std::nullopt;
  }
}

std::string_view VersionOf(const Network& network) {
  const std::optional<Recipe> recipe = RecipeOf(network);
  return recipe ? NameOf(*recipe) : "custom";
}

std::string TitleOf(const Network& network) {
  const std::optional<Recipe> recipe = RecipeOf(network);
  const char* end = HasClassifier(network) ? "" : " without a classifier";
  if (!recipe) return Concat("custom network", end, ", ", Sides(network.input));
  const std::string title = std::visit([](const auto& options) { return FamilyTitle(options); }, *recipe);
  const double alpha = std::visit([](const auto& options) { return options.alpha; }, *recipe);
  return Concat("MobileNet ", title, end, ", alpha ", alpha, ", ", Sides(network.input));
}

Network WithResolution(const Network& network, Resolution resolution) {
  if (std::optional<Recipe> recipe = RecipeOf(network)) {
    std::visit([&](auto& options) { options.resolution = resolution; }, *recipe);
    return Build(*recipe);
  }
  CheckNetwork(network);
  for (const int side : {resolution.height, resolution.width}) {
    if (side < 1 || side > kMostSide) Fail("resolution is ", side, ", expected 1 to ", kMostSide, " pixels");
  }
  const std::optional<PaddingStyle> style = StyleOf(network);
  Network resized = network;
  resized.recipe.reset();
  resized.input.height = resolution.height;
  resized.input.width = resolution.width;
  for (std::size_t i = 0; i < resized.layers.size(); ++i) {
    Layer& layer = resized.layers[i];
    const int from = layer.inputs.front();
    layer.input =
        from == kNetworkInput ? resized.input : resized.layers[static_cast<std::size_t>(from)].output;
    if (style && TraitsOf(layer.kind).window) PlaceWindow(*style, layer);
    layer.output = OutputOf(layer);
  }
  CheckNetwork(resized);
  return resized;
}

Network WithClasses(const Network& network, int classes) {
  if (!kAllowedClasses.fits(classes)) Fail("classes is ", classes, ", expected ", kAllowedClasses.expected);
  if (std::optional<Recipe> recipe = RecipeOf(network)) {
    std::visit([&](auto& options) { options.classes = classes; }, *recipe);
    return Build(*recipe);
  }
  CheckNetwork(network);
  Network other = network;
  other.recipe.reset();
  const bool has_classifier = EndsWithClassifier(other);
  if (!has_classifier && (other.output().height != 1 || other.output().width != 1 || HasClassifier(other)))
    Fail("the network ends with ", other.layers.back().name, ", which is ", NameOf(other.layers.back().kind),
         ": its classes can't be changed, expected a fully connected layer or the global average");
  if (classes == 0) return has_classifier ? WithoutLast(std::move(other)) : other;
  if (!has_classifier) AppendClassifier(other);
  other.layers.back().output.channels = classes;
  return other;
}

}  // namespace mobilenet
