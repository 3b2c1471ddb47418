// Every field of what describes a network, with its name and what it may be, in one place: checks, files,
// fingerprints and reports all go over this. A field that is missing here does not compile.
#pragma once

#include <concepts>
#include <type_traits>

#include "mobilenet/network.h"

namespace mobilenet {

// What a number may be, and how a message says it. Sides of a Resolution are numbers each.
struct Allowed {
  bool (*fits)(double value);
  const char* expected;
};

// For fields of few values, which are checked by their type, and where a check of more than the field
// follows.
constexpr Allowed kAny = {[](double) { return true; }, ""};

constexpr Allowed kAllowedAlphas = {[](double v) { return v >= 0.1 && v <= 1.4; }, "0.1 to 1.4"};
constexpr Allowed kAllowedSides = {[](double v) { return v >= 32 && v <= 4096; }, "32 to 4096 pixels"};
constexpr Allowed kAllowedClasses = {[](double v) { return v >= 0 && v <= 1e6; }, "0 to 1000000"};
constexpr Allowed kAllowedInputChannels = {[](double v) { return v == 1 || v == 3; }, "3 (RGB) or 1 (grey)"};
constexpr Allowed kAllowedOutputStrides = {[](double v) { return v == 4 || v == 8 || v == 16 || v == 32; },
                                           "32, 16, 8 or 4"};
constexpr Allowed kAllowedEpsilons = {[](double v) { return v > 0 && v < 1; }, "more than 0 and less than 1"};

template <typename T, typename Plain>
concept Is = std::same_as<std::remove_const_t<T>, Plain>;

// Calls visit(name, field, allowed) for each field, in order.
template <Is<V1Options> Options, typename Visit>
void VisitFields(Options& options, const Visit& visit) {
  auto& [alpha, resolution, classes, input_channels, output_stride, separable, shallow, padding, activation,
         batch_norm, epsilon] = options;
  visit("alpha", alpha, Allowed{[](double v) { return v > 0 && v <= 1; }, "more than 0 and at most 1"});
  visit("resolution", resolution, kAllowedSides);
  visit("classes", classes, kAllowedClasses);
  visit("input_channels", input_channels, kAllowedInputChannels);
  visit("output_stride", output_stride, kAllowedOutputStrides);
  visit("separable", separable, kAny);
  visit("shallow", shallow, kAny);
  visit("padding", padding, kAny);
  visit("activation", activation, kAny);
  visit("batch_norm", batch_norm, kAny);
  visit("epsilon", epsilon, kAllowedEpsilons);
}

template <Is<V2Options> Options, typename Visit>
void VisitFields(Options& options, const Visit& visit) {
  auto& [alpha, resolution, classes, input_channels, output_stride, padding, activation, batch_norm,
         epsilon] = options;
  visit("alpha", alpha, kAllowedAlphas);
  visit("resolution", resolution, kAllowedSides);
  visit("classes", classes, kAllowedClasses);
  visit("input_channels", input_channels, kAllowedInputChannels);
  visit("output_stride", output_stride, kAllowedOutputStrides);
  visit("padding", padding, kAny);
  visit("activation", activation, kAny);
  visit("batch_norm", batch_norm, kAny);
  visit("epsilon", epsilon, kAllowedEpsilons);
}

// But the variant, here and below: that is a part of the version, which NameOf tells and RecipeNamed sets.
template <Is<V3Options> Options, typename Visit>
void VisitFields(Options& options, const Visit& visit) {
  auto& [variant, alpha, resolution, classes, input_channels, output_stride, widths, padding, batch_norm,
         epsilon] = options;
  visit("alpha", alpha, kAllowedAlphas);
  visit("resolution", resolution, kAllowedSides);
  visit("classes", classes, kAllowedClasses);
  visit("input_channels", input_channels, kAllowedInputChannels);
  visit("output_stride", output_stride, kAllowedOutputStrides);
  visit("widths", widths, kAny);
  visit("padding", padding, kAny);
  visit("batch_norm", batch_norm, kAny);
  visit("epsilon", epsilon, kAllowedEpsilons);
}

template <Is<V4Options> Options, typename Visit>
void VisitFields(Options& options, const Visit& visit) {
  auto& [variant, alpha, resolution, classes, input_channels, output_stride, padding, activation, batch_norm,
         epsilon] = options;
  visit("alpha", alpha, kAllowedAlphas);
  visit("resolution", resolution, kAllowedSides);
  visit("classes", classes, kAllowedClasses);
  visit("input_channels", input_channels, kAllowedInputChannels);
  visit("output_stride", output_stride, kAllowedOutputStrides);
  visit("padding", padding, kAny);
  visit("activation", activation, kAny);
  visit("batch_norm", batch_norm, kAny);
  visit("epsilon", epsilon, kAllowedEpsilons);
}

// CheckNetwork says what these may be.
template <Is<Layer> L, typename Visit>
void VisitFields(L& layer, const Visit& visit) {
  auto& [name, kind, inputs, input, output, kernel, stride, padding, batch_norm, bias, epsilon, activation] =
      layer;
  visit("name", name, kAny);
  visit("kind", kind, kAny);
  visit("inputs", inputs, kAny);
  visit("input", input, kAny);
  visit("output", output, kAny);
  visit("kernel", kernel, kAny);
  visit("stride", stride, kAny);
  visit("padding", padding, kAny);
  visit("batch_norm", batch_norm, kAny);
  visit("bias", bias, kAny);
  visit("epsilon", epsilon, kAny);
  visit("activation", activation, kAny);
}

// Throws Error for a field of a recipe that is out of its range.
void CheckRecipe(const Recipe& recipe);

}  // namespace mobilenet
