// For scripts that compare us with other runtimes: makes a model of random weights, or runs one on raw
// numbers.
//   network_tool make VERSION ALPHA RESOLUTION CLASSES OUT [PADDING [WIDTHS]]
//       VERSION is v1, v2, v4-conv-small, ...; OUT ends in .safetensors, .timm.safetensors (timm's names),
//       .onnx or .tflite
//   network_tool convert MODEL OUT
//       likewise
//   network_tool run MODEL
//       float32 inputs on standard input, one image after the other; logits on output
//   network_tool step MODEL BATCH OUT.safetensors
//       the gradients of one training step; BATCH float32 images and then BATCH int32 labels on standard
//       input; prints the loss
//   network_tool resize FILTER WIDTH HEIGHT TO_WIDTH TO_HEIGHT
//       an RGB picture on standard input, whole
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/enum_names.h"
#include "formats/safetensors.h"
#include "mobilenet/mobilenet.h"
#include "training/training_pass.h"

namespace mobilenet {
namespace {

void Write(const Model& model, std::string_view path) {
  if (path.ends_with(".onnx")) return SaveOnnx(model, path);
  if (path.ends_with(".tflite")) return SaveTflite(model, path);
  if (path.ends_with(".timm.safetensors")) return SaveTimm(model, path);
  model.Save(path);
}

void Make(const char* version, double alpha, int resolution, int classes, const char* path,
          const std::string& padding, const std::string& widths) {
  std::optional<Recipe> recipe = RecipeNamed(version);
  if (!recipe) throw Error(std::string("there is no version ") + version);
  const auto style = FromName<PaddingStyle>(padding);
  if (!style) throw Error("there is no padding " + padding);
  std::visit(
      [&](auto& options) {
        options.alpha = alpha;
        options.resolution = resolution;
        options.classes = classes;
        options.padding = *style;
        if constexpr (requires { options.widths; }) {
          if (widths.empty()) return;
          options.widths = FromName<V3Widths>(widths).value();
        }
      },
      *recipe);
  Model model;
  model.network = Build(*recipe);
  model.weights = RandomWeights(model.network, 1);
  if (classes == 1) model.answers = Answers::kSigmoid;
  Write(model, path);
}

void Run(const char* path) {
  const Model model = Model::Load(path);
  const Plan plan(model.network, model.weights);
  Runner runner(plan, {.threads = 2});
  std::vector<float> input(static_cast<std::size_t>(plan.input().size()));
  std::vector<float> logits(static_cast<std::size_t>(plan.output().size()));
  while (std::fread(input.data(), sizeof(float), input.size(), stdin) == input.size()) {
    if (!runner.Run(input, logits)) throw Error("the plan refused its own sizes");
    std::fwrite(logits.data(), sizeof(float), logits.size(), stdout);
  }
}

void Convert(const char* path, const char* out) { Write(Model::Load(path), out); }

void Step(const char* path, int batch, const char* out) {
  const Model model = Model::Load(path);
  const WeightLayout layout(model.network);
  std::vector<float> values = layout.Flatten(model.network, model.weights);
  std::vector<float> gradient(values.size());
  std::vector<float> images(static_cast<std::size_t>(batch) * model.network.input.size());
  std::vector<std::int32_t> labels(batch);
  if (std::fread(images.data(), sizeof(float), images.size(), stdin) != images.size() ||
      std::fread(labels.data(), sizeof(std::int32_t), labels.size(), stdin) != labels.size())
    throw Error("standard input is too short");
  std::vector<Target> targets;
  for (const std::int32_t label : labels) targets.push_back({label, label, 1});
  ThreadPool pool(2);
  TrainingPass pass(model.network, {.batch = batch}, pool);
  std::printf("%.9g\n", pass.Run(images, targets, values, gradient).loss);
  WriteSafetensors(out, {}, layout.ToWeights(gradient));
}

void ResizeWhole(const std::string& filter, int width, int height, int to_width, int to_height) {
  Image image = {.width = width, .height = height, .channels = 3, .pixels = {}};
  image.pixels.resize(static_cast<std::size_t>(width) * height * 3);
  if (std::fread(image.pixels.data(), 1, image.pixels.size(), stdin) != image.pixels.size())
    throw Error("standard input is too short");
  const Box whole = {0, 0, static_cast<double>(width), static_cast<double>(height)};
  const std::optional<ResizeFilter> found = FromName<ResizeFilter>(filter);
  if (!found) throw Error("there is no filter " + filter);
  const Image resized = Resize(image, to_width, to_height, *found, whole);
  std::fwrite(resized.pixels.data(), 1, resized.pixels.size(), stdout);
}

}  // namespace
}  // namespace mobilenet

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  try {
    if (arguments.size() >= 6 && arguments.size() <= 8 && arguments[0] == "make") {
      mobilenet::Make(argv[2], std::stod(arguments[2]), std::stoi(arguments[3]), std::stoi(arguments[4]),
                      argv[6], arguments.size() > 6 ? arguments[6] : "same",
                      arguments.size() > 7 ? arguments[7] : "");
    } else if (arguments.size() == 2 && arguments[0] == "run") {
      mobilenet::Run(argv[2]);
    } else if (arguments.size() == 3 && arguments[0] == "convert") {
      mobilenet::Convert(argv[2], argv[3]);
    } else if (arguments.size() == 4 && arguments[0] == "step") {
      mobilenet::Step(argv[2], std::stoi(arguments[2]), argv[4]);
    } else if (arguments.size() == 6 && arguments[0] == "resize") {
      mobilenet::ResizeWhole(arguments[1], std::stoi(arguments[2]), std::stoi(arguments[3]),
                             std::stoi(arguments[4]), std::stoi(arguments[5]));
    } else {
      std::fprintf(stderr,
                   "usage: network_tool make VERSION ALPHA RESOLUTION CLASSES OUT [PADDING] | run MODEL | "
                   "convert MODEL OUT |"
                   " step MODEL BATCH OUT | resize FILTER WIDTH HEIGHT TO_WIDTH TO_HEIGHT\n");
      return 2;
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "network_tool: %s\n", error.what());
    return 1;
  }
  return 0;
}
