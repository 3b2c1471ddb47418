// Small pictures for pages, and where a network looked in them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "mobilenet/activation_map.h"

namespace mobilenet {

// The picture in grey with the map laid over it in colours: the least of the map has none, the most is
// yellow. What the network didn't see is dark.
Image HeatPicture(const Image& image, const ActivationMap& map);

// A file's picture as HTML, small. Throws Error where the file can't be read.
std::string ThumbnailHtml(const std::filesystem::path& file, std::size_t max_pixels);

// What `picture` returns, or a note of why it can't be read any more. OutOfMemory is passed on.
std::string OrWhyNot(const std::function<std::string()>& picture);

class Thumbnails {
 public:
  // Throws Error where the model can't be run at all.
  Thumbnails(const Model& model, const ClassifierOptions& options);

  // What the second pictures show, or why there are none.
  [[nodiscard]] std::string Note() const;

  // A picture of a file as HTML, followed by where the network looked for the class `index` if such
  // maps are exact for it. Throws Error where the file can't be read.
  std::string Html(const std::filesystem::path& file, int index);

 private:
  DecodeOptions decode_;
  std::optional<ActivationMapper> mapper_;
  std::string why_without_;
};

}  // namespace mobilenet
