// Graphs of a few operators, one behind the other.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "complaint.h"
#include "formats/graph.h"

namespace mobilenet {

// Chains of operators on a map of 24 x 36 pixels, each of 2 channels.
class Chain {
 public:
  Chain() {
    graph_.file = "f";
    graph_.format = "test";
    graph_.resolution = {24, 36};
    graph_.channels = 3;
    Then("first", Window<op::Convolution>({3, 3, 3, 2}, 2));  // 12 x 18
  }

  template <typename Operation>
  static Operation Window(std::vector<std::int64_t> shape, int stride,
                          std::optional<Padding> padding = std::nullopt) {
    std::size_t size = 1;
    for (const std::int64_t n : shape) size *= static_cast<std::size_t>(n);
    return {{Tensor::Of(std::move(shape), std::vector<float>(size, 0.5F)), {}, stride, padding}};
  }

  Chain& Then(const std::string& name, op::Any operation, std::vector<int> inputs = {}) {
    graph_.Append({"the layer " + name, "test", name, std::move(inputs), std::move(operation)});
    return *this;
  }
  Chain& Depthwise(const std::string& name, int stride, std::optional<Padding> padding = std::nullopt) {
    return Then(name, Window<op::Depthwise>({3, 3, 2}, stride, padding));
  }
  Chain& Pointwise(const std::string& name) { return Then(name, Window<op::Convolution>({1, 1, 2, 2}, 1)); }
  Chain& Head() { return Then("pool", op::Average()).Pointwise("classifier"); }

  [[nodiscard]] Model Load() const { return ToModel(graph_); }
  [[nodiscard]] Network Build() const { return Load().network; }
  [[nodiscard]] std::string Complains() const {
    return Complaint([&] { ToModel(graph_); });
  }

 private:
  Graph graph_;
};

}  // namespace mobilenet
