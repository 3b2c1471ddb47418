#include "mobilenet/embed.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "base/fail.h"
#include "base/thread_pool.h"
#include "classify/in_order.h"
#include "classify/picture_run.h"
#include "network/part.h"

namespace mobilenet {
namespace {

std::size_t LayerOf(const Network& network, std::string_view name) {
  const auto& layers = network.layers;
  const auto at = [&](auto found) { return static_cast<std::size_t>(found - layers.begin()); };
  if (!name.empty()) {
    const auto found = std::ranges::find(layers, name, &Layer::name);
    if (found == layers.end())
      Fail("the network has no layer ", name, ", expected one from ", layers.front().name, " to ",
           layers.back().name);
    return at(found);
  }
  const auto average =
      std::ranges::find(layers.rbegin(), layers.rend(), LayerKind::kGlobalAveragePool, &Layer::kind);
  if (average == layers.rend()) Fail("the network has no average over its last map: name a layer");
  return at(std::prev(average.base()));
}

}  // namespace

struct Embedder::State {
  PictureRun run;
  std::string layer;
};

std::unique_ptr<Embedder::State> Embedder::Make(const Model& model, const ClassifierOptions& options,
                                                std::string_view layer) {
  CheckNetwork(model.network);
  CheckWeights(model.network, model.weights);
  const std::size_t index = LayerOf(model.network, layer);
  const Network part = UpTo(index, model.network);
  return std::make_unique<State>(
      State{PictureRun(PictureRun::Share(part, WeightsIn(part, model.weights), model.preprocessing, options),
                       options.threads),
            model.network.layers[index].name});
}

Embedder::Embedder(const Model& model, const ClassifierOptions& options, std::string_view layer)
    : state_(OrOutOfMemory("the embedding", [&] { return Make(model, options, layer); })) {}
Embedder::~Embedder() = default;
Embedder::Embedder(const Embedder& other)
    : state_(OrOutOfMemory("the embedding", [&] {
        return std::make_unique<State>(
            State{PictureRun(other.state_->run.shared(), other.state_->run.threads()), other.state_->layer});
      })) {}
Embedder::Embedder(Embedder&&) noexcept = default;
Embedder& Embedder::operator=(Embedder other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

Shape EmbeddingShape(const Network& network, std::string_view layer) {
  CheckNetwork(network);
  return network.layers[LayerOf(network, layer)].output;
}

Shape Embedder::shape() const { return state_->run.shared()->plan.output(); }
const std::string& Embedder::layer() const { return state_->layer; }

std::vector<float> Embedder::File(const std::filesystem::path& path) {
  const Image image = LoadImage(path, state_->run.decode_options());
  return InContext(path.native(), [&] { return Pixels(image); });
}

std::vector<float> Embedder::Pixels(const Image& image) {
  return OrOutOfMemory("the picture", [&] { return state_->run.Run(image); });
}

void EmbedFiles(const Model& model, std::span<const std::filesystem::path> files, const FilesOptions& options,
                const std::function<void(const Embedding&)>& done, std::string_view layer) {
  CheckThreads(options.threads);
  if (!done) Fail("there is no function to take the results, expected one");
  if (files.empty()) return;
  const auto count = std::min(static_cast<std::size_t>(options.threads), files.size());
  const Embedder prototype(model,
                           {.threads = count == 1 ? options.threads : 1,
                            .precision = options.precision,
                            .memory = options.memory,
                            .max_pixels = options.max_pixels},
                           layer);
  std::vector<Embedder> embedders(count, prototype);
  const auto embed = [&](Embedder& embedder, std::size_t index) {
    Embedding result;
    result.index = index;
    try {
      result.values = embedder.File(files[index]);
    } catch (const std::exception& error) {  // Error, or not even the memory for one
      result.error = error.what();
    }
    return result;
  };
  RunInOrder<Embedding>(embedders, files.size(), embed, done);
}

double CosineSimilarity(std::span<const float> a, std::span<const float> b) {
  if (a.size() != b.size()) Fail("embeddings of ", a.size(), " and ", b.size(), " values can't be compared");
  double product = 0;
  double square_a = 0;
  double square_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    product += double{a[i]} * b[i];
    square_a += double{a[i]} * a[i];
    square_b += double{b[i]} * b[i];
  }
  const double lengths = std::sqrt(square_a) * std::sqrt(square_b);
  return lengths > 0 ? std::clamp(product / lengths, -1.0, 1.0) : 0;
}

}  // namespace mobilenet
