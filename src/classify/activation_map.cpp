#include "mobilenet/activation_map.h"

#include <utility>

#include "base/fail.h"
#include "classify/picture_run.h"
#include "network/part.h"

namespace mobilenet {
namespace {

// The layer whose map is averaged for the classifier. Throws Error where the network has no such end.
std::size_t LastMapOf(const Network& network) {
  CheckNetwork(network);
  const Layer& classifier = network.layers.back();
  if (!EndsWithClassifier(network))
    Fail("the network ends with ", classifier.name, ", expected a fully connected layer alone");
  const int before = classifier.inputs.front();
  if (before == kNetworkInput) Fail("the network is a classifier alone, expected one with feature maps");
  const Layer& average = network.layers[static_cast<std::size_t>(before)];
  if (average.kind != LayerKind::kGlobalAveragePool || average.activation != Activation::kNone ||
      average.inputs.front() == kNetworkInput)
    Fail("the classifier reads ", average.name, ", expected the global average of a feature map");
  return static_cast<std::size_t>(average.inputs.front());
}

}  // namespace

struct ActivationMapper::State {
  PictureRun run;
  Tensor weight;  // [features, outputs]
  std::optional<Tensor> bias;
  int classes;

  // Of a class's logit: one output speaks for class 1 and against class 0.
  [[nodiscard]] std::pair<std::size_t, float> ColumnAndSign(int index) const {
    if (index < 0 || index >= classes) Fail("there is no class ", index, ", expected 0 to ", classes - 1);
    if (weight.shape.back() < classes) return {0, index == 1 ? 1.0F : -1.0F};
    return {static_cast<std::size_t>(index), 1.0F};
  }

  ActivationMap Of(const Image& image, int index) {
    const auto outputs = static_cast<std::size_t>(weight.shape.back());
    const auto [column, sign] = ColumnAndSign(index);
    const Shape& last = run.shared()->plan.output();
    const std::vector<float>& features = run.Run(image);
    const auto channels = static_cast<std::size_t>(last.channels);
    ActivationMap map;
    map.height = last.height;
    map.width = last.width;
    if (bias) map.bias = sign * bias->values[column];
    for (std::size_t at = 0; at < features.size(); at += channels) {
      float sum = 0;
      for (std::size_t c = 0; c < channels; ++c)
        sum += features[at + c] * weight.values[c * outputs + column];
      map.values.push_back(sign * sum);
    }
    map.part = PartOf(image);
    return map;
  }

  [[nodiscard]] Box PartOf(const Image& image) const {
    const Shape& input = run.shared()->plan.input();
    const Box box =
        CropBox(image.width, image.height, run.shared()->preprocessing, input.width, input.height);
    return {box.left / image.width, box.top / image.height, box.right / image.width,
            box.bottom / image.height};
  }
};

std::unique_ptr<ActivationMapper::State> ActivationMapper::Make(const Model& model,
                                                                const ClassifierOptions& options) {
  const Network part = UpTo(LastMapOf(model.network), model.network);
  CheckWeights(model.network, model.weights);
  const Layer& classifier = model.network.layers.back();
  std::optional<Tensor> bias;
  if (classifier.bias) bias = model.weights.find(classifier.name + ".bias")->second;
  return std::make_unique<State>(
      State{PictureRun(PictureRun::Share(part, WeightsIn(part, model.weights), model.preprocessing, options),
                       options.threads),
            model.weights.find(classifier.name + ".weight")->second, std::move(bias), model.classes()});
}

ActivationMapper::ActivationMapper(const Model& model, const ClassifierOptions& options)
    : state_(OrOutOfMemory("the activation maps", [&] { return Make(model, options); })) {}
ActivationMapper::~ActivationMapper() = default;
ActivationMapper::ActivationMapper(ActivationMapper&&) noexcept = default;
ActivationMapper& ActivationMapper::operator=(ActivationMapper&&) noexcept = default;

int ActivationMapper::height() const { return state_->run.shared()->plan.output().height; }
int ActivationMapper::width() const { return state_->run.shared()->plan.output().width; }

ActivationMap ActivationMapper::File(const std::filesystem::path& path, int index) {
  const Image image = LoadImage(path, state_->run.decode_options());
  return InContext(path.native(), [&] { return Pixels(image, index); });
}

ActivationMap ActivationMapper::Pixels(const Image& image, int index) {
  return OrOutOfMemory("the picture", [&] { return state_->Of(image, index); });
}

}  // namespace mobilenet
