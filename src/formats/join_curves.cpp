#include "formats/join_curves.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

namespace mobilenet {
namespace {

bool Does(const op::Rescale& rescale, double scale, double offset) {
  constexpr double kNear = 1e-3;  // files hold 1 / 6 in as few as 16 bits
  return std::ranges::all_of(rescale.scale, [=](double s) { return std::abs(s / scale - 1) < kNear; }) &&
         std::ranges::all_of(rescale.offset, [=](double o) { return std::abs(o - offset) < kNear; });
}

class Joiner {
 public:
  explicit Joiner(Graph& graph) : graph_(graph) {
    for (const Node& node : graph.nodes) {
      const int index = static_cast<int>(sources_.size());
      const bool passes_on = std::holds_alternative<op::Identity>(node.operation) &&
                             node.inputs.size() == 1 && node.inputs[0] < index;
      sources_.push_back(passes_on ? Source(node.inputs[0]) : index);
    }
  }

  void Join() {
    for (Node& node : graph_.nodes) {
      if (std::holds_alternative<op::Multiply>(node.operation)) JoinProduct(node);
      if (const auto* rescale = std::get_if<op::Rescale>(&node.operation); rescale && IsSixth(*rescale))
        JoinSixth(node);
    }
  }

 private:
  static void Become(Node& node, Activation activation, int of) {
    node.inputs = {of};
    node.operation = op::Activate{activation};
  }

  [[nodiscard]] int Source(int index) const {
    return At(index) == nullptr ? kNetworkInput : sources_[static_cast<std::size_t>(index)];
  }

  // The node that makes what the node reads, past those that do nothing.
  [[nodiscard]] int SourceOf(const Node& node, std::size_t number = 0) const {
    return number < node.inputs.size() ? Source(node.inputs[number]) : kNetworkInput;
  }

  [[nodiscard]] const Node* At(int index) const {
    const bool exists = index >= 0 && index < static_cast<int>(graph_.nodes.size());
    return exists ? &graph_.nodes[static_cast<std::size_t>(index)] : nullptr;
  }

  [[nodiscard]] const Node* ActivationAt(int index, Activation activation) const {
    const Node* node = At(index);
    const auto* activate = node == nullptr ? nullptr : std::get_if<op::Activate>(&node->operation);
    return activate != nullptr && activate->activation == activation && activate->slope == 1 ? node : nullptr;
  }

  // x where the node at the index is relu6(x + 3); kNetworkInput where it is something else.
  [[nodiscard]] int Clipped(int index) const {
    const Node* clip = ActivationAt(index, Activation::kRelu6);
    const Node* shifted = clip == nullptr ? nullptr : At(SourceOf(*clip));
    const auto* shift = shifted == nullptr ? nullptr : std::get_if<op::Rescale>(&shifted->operation);
    return shift != nullptr && Does(*shift, 1, 3) ? SourceOf(*shifted) : kNetworkInput;
  }

  // x * (relu6(x + 3) / 6), of which the second is an activation by now, or (x / 6) * relu6(x + 3).
  void JoinProduct(Node& node) const {
    for (const std::size_t gate : {0, 1}) {
      const int other = SourceOf(node, 1 - gate);
      if (other == kNetworkInput) continue;
      const Node* sigmoid = ActivationAt(SourceOf(node, gate), Activation::kHardSigmoid);
      if (sigmoid != nullptr && SourceOf(*sigmoid) == other)
        return Become(node, Activation::kHardSwish, other);
      const auto* rescale = std::get_if<op::Rescale>(&At(other)->operation);
      if (rescale == nullptr || !IsSixth(*rescale)) continue;
      const int x = SourceOf(*At(other));
      if (x != kNetworkInput && Clipped(SourceOf(node, gate)) == x)
        return Become(node, Activation::kHardSwish, x);
    }
  }

  // relu6(x + 3) / 6, or (x * relu6(x + 3)) / 6.
  void JoinSixth(Node& node) const {
    const int from = SourceOf(node);
    if (const int x = Clipped(from); x != kNetworkInput) return Become(node, Activation::kHardSigmoid, x);
    const Node* product = At(from);
    if (product == nullptr || !std::holds_alternative<op::Multiply>(product->operation)) return;
    for (const std::size_t gate : {0, 1}) {
      const int x = SourceOf(*product, 1 - gate);
      if (x != kNetworkInput && Clipped(SourceOf(*product, gate)) == x)
        return Become(node, Activation::kHardSwish, x);
    }
  }

  Graph& graph_;
  std::vector<int> sources_;  // of each node: itself, or what it passes on
};

}  // namespace

bool IsSixth(const op::Rescale& rescale) { return Does(rescale, 1.0 / 6, 0); }

void JoinCurves(Graph& graph) { Joiner(graph).Join(); }

}  // namespace mobilenet
