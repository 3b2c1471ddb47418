// For scripts that compare us with other runtimes: makes a model of random weights, or runs one on raw
// numbers.
//   network_tool make ALPHA RESOLUTION CLASSES OUT.safetensors
//   network_tool run MODEL         float32 inputs on standard input, one image after the other; logits on
//   output
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "mobilenet/mobilenet.h"

namespace mobilenet {
namespace {

void Make(double alpha, int resolution, int classes, const char* path) {
  Model model;
  model.network = V1({.alpha = alpha, .resolution = resolution, .classes = classes});
  model.weights = RandomWeights(model.network, 1);
  model.Save(path);
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

}  // namespace
}  // namespace mobilenet

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  try {
    if (arguments.size() == 5 && arguments[0] == "make") {
      mobilenet::Make(std::stod(arguments[1]), std::stoi(arguments[2]), std::stoi(arguments[3]), argv[5]);
    } else if (arguments.size() == 2 && arguments[0] == "run") {
      mobilenet::Run(argv[2]);
    } else {
      std::fprintf(stderr,
                   "usage: network_tool make ALPHA RESOLUTION CLASSES OUT | network_tool run MODEL\n");
      return 2;
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "network_tool: %s\n", error.what());
    return 1;
  }
  return 0;
}
