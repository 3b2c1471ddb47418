// The parts, for whoever has pixels already: needs libmobilenet-core alone.
#include <mobilenet/core.h>

#include <cstdio>
#include <vector>

int main() {
  mobilenet::Network network = mobilenet::V1({.alpha = 0.5, .resolution = 160, .classes = 10});
  mobilenet::Cost cost = mobilenet::CostOf(network);
  std::printf("%lld parameters, %lld mult-adds\n", static_cast<long long>(cost.params),
              static_cast<long long>(cost.macs));

  mobilenet::Plan plan(network, mobilenet::RandomWeights(network, 1));
  mobilenet::Runner runner(plan, {.threads = 2});
  std::vector<float> pixels(plan.input().size()), logits(plan.output().size());
  if (!runner.Run(pixels, logits)) return 1;
  mobilenet::Softmax(logits);
  std::printf("class 0 has a probability of %.3f\n", logits[0]);
}
