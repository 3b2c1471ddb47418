// A picture and a model of random numbers, the same on every machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "mobilenet/image.h"
#include "mobilenet/model.h"
#include "random.h"

namespace mobilenet {

inline Image NoisyImage(int width, int height) {
  Image image = {.width = width, .height = height, .channels = 3, .pixels = {}};
  for (const float v : RandomValues(static_cast<std::size_t>(width) * height * 3, 5))
    image.pixels.push_back(static_cast<std::uint8_t>(128 + 100 * v));
  return image;
}

inline Model RandomModel(Network network) {
  Model model;
  model.network = std::move(network);
  model.weights = RandomWeights(model.network, 1);
  const std::string bias = model.network.layers.back().name + ".bias";
  if (const auto found = model.weights.find(bias); found != model.weights.end())
    found->second = Tensor::Of(found->second.shape, RandomValues(found->second.values.size(), 2));
  return model;
}

}  // namespace mobilenet
