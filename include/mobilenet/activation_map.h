// Where a network looked: class activation maps. Part of libmobilenet.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "mobilenet/classifier.h"
#include "mobilenet/export.h"
#include "mobilenet/image.h"
#include "mobilenet/model.h"

namespace mobilenet {

// How much each part of a picture counted for a class: values[y * width + x], rows top to bottom, in the
// units of logits. Their mean and the bias together are the logit of the class.
struct ActivationMap {
  int height = 0;  // those of the network's last feature map
  int width = 0;
  std::vector<float> values;
  float bias = 0;
  // The part of the upright picture over which the cells lie in equal steps, in shares of the picture's width
  // and height: what preprocessing keeps of it.
  Box part;
};

// Makes class activation maps (Zhou et al. 2016, eq. 2: the last feature map, its channels weighted as the
// classifier weights them for the class). They are exact where a network ends with a global average and a
// fully connected layer, as V1 and V2 do; no others are taken. A cell tells of what its windows see, which is
// far more than its own part of the picture: the maps show about where, not what. Belongs to one thread at a
// time.
class MOBILENET_EXPORT ActivationMapper {
 public:
  // Throws Error where the network ends in another way, and as Classifier does.
  explicit ActivationMapper(const Model& model, const ClassifierOptions& options = {});
  ~ActivationMapper();
  ActivationMapper(ActivationMapper&&) noexcept;
  ActivationMapper& operator=(ActivationMapper&&) noexcept;

  // Cells of a map, from top to bottom and from left to right: one of 1 x 1 tells nothing.
  [[nodiscard]] int height() const;
  [[nodiscard]] int width() const;

  // Of the class `index`, from 0, for a picture in a file, or decoded to RGB. Each throws Error where the
  // picture can't be used, there is no such class, the map is not finite, or memory runs out.
  ActivationMap File(const std::filesystem::path& path, int index);
  ActivationMap Pixels(const Image& image, int index);

 private:
  struct State;
  static std::unique_ptr<State> Make(const Model& model, const ClassifierOptions& options);
  std::unique_ptr<State> state_;
};

}  // namespace mobilenet
