// Photos to vectors: what a network has made of them before it classifies. Part of libmobilenet.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mobilenet/classifier.h"
#include "mobilenet/export.h"
#include "mobilenet/image.h"
#include "mobilenet/model.h"

namespace mobilenet {

// Computes embeddings: the mean of the last feature map over its pixels, one value for each channel, from
// which the classifier reads the classes. Pictures that look alike to the network have embeddings of nearly
// the same direction. Belongs to one thread at a time: copy it for each thread that embeds at once (a copy
// shares the weights).
class MOBILENET_EXPORT Embedder {
 public:
  // `layer` names another layer, whose map becomes the embedding: its rows from top to bottom, each with its
  // pixels from left to right, each with its channels. Throws Error where there is no such layer, or without
  // a name no average over the map, and as Classifier does.
  explicit Embedder(const Model& model, const ClassifierOptions& options = {}, std::string_view layer = {});
  ~Embedder();
  Embedder(const Embedder& other);
  Embedder(Embedder&&) noexcept;
  Embedder& operator=(Embedder other) noexcept;

  [[nodiscard]] Shape shape() const;               // of the map: 1 x 1 x channels without a layer's name
  [[nodiscard]] const std::string& layer() const;  // whose map it is

  // Of a picture in a file, or decoded to RGB: shape().size() values. Each throws Error where the picture
  // can't be used, a value is not finite, or memory runs out.
  std::vector<float> File(const std::filesystem::path& path);
  std::vector<float> Pixels(const Image& image);

 private:
  struct State;
  static std::unique_ptr<State> Make(const Model& model, const ClassifierOptions& options,
                                     std::string_view layer);
  std::unique_ptr<State> state_;
};

// The shape() of Embedders of this network, without making one. Throws Error as they do.
[[nodiscard]] MOBILENET_EXPORT Shape EmbeddingShape(const Network& network, std::string_view layer = {});

// One picture of many. `values` is empty where `error` says what went wrong.
struct Embedding {
  std::size_t index = 0;  // in the list of files
  std::vector<float> values;
  std::string error;
};

// Embeds files and calls `done` for each, in the order of the list, on the calling thread; options.top counts
// for nothing. A bad file is a result with an error, not an exception. If `done` throws, the rest is
// abandoned and the exception passed on. Throws Error as Embedder does.
MOBILENET_EXPORT void EmbedFiles(const Model& model, std::span<const std::filesystem::path> files,
                                 const FilesOptions& options,
                                 const std::function<void(const Embedding&)>& done,
                                 std::string_view layer = {});

// The cosine of the angle between two embeddings of one length, from -1 to 1; 0 where one is all zeros.
// Throws Error where the lengths differ.
[[nodiscard]] MOBILENET_EXPORT double CosineSimilarity(std::span<const float> a, std::span<const float> b);

}  // namespace mobilenet
