#include "formats/fold_graph.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "base/fail.h"
#include "formats/batch_norms.h"
#include "formats/join_curves.h"
#include "network/kinds.h"
#include "network/shapes.h"

namespace mobilenet {
namespace {

// What a node makes: the map of a layer or the input, perhaps with something still to be done to it.
struct Value {
  int layer = kNetworkInput;
  Shape shape;                // without the zeros around it
  Padding zeros;              // for the windows that read it
  bool sole = true;           // nothing else reads the layer's map, so that what comes next may join it
  bool averaged = false;      // from here on there are no pixels, only channels
  const Node* end = nullptr;  // the softmax or sigmoid that the file has behind it
  // The batch norms that the file has behind it, one after the other, and that couldn't join the layer: they
  // wait for one whose weights read one pixel at a time.
  std::vector<const Node*> norms = {};
};

Padding operator+(const Padding& a, const Padding& b) {
  return {a.top + b.top, a.bottom + b.bottom, a.left + b.left, a.right + b.right};
}

Shape Padded(const Value& value) {
  const Padding& z = value.zeros;
  return {value.shape.height + z.top + z.bottom, value.shape.width + z.left + z.right, value.shape.channels};
}

// The dimensions that tell where a value is.
std::vector<std::int64_t> WithoutOnes(std::vector<std::int64_t> shape) {
  std::erase(shape, 1);
  return shape;
}

std::vector<std::int64_t> WithoutOnes(const Shape& shape) {
  return WithoutOnes(std::vector<std::int64_t>{shape.height, shape.width, shape.channels});
}

std::string Sides(const Shape& shape) { return Concat(shape.height, " x ", shape.width); }

class Folder {
 public:
  explicit Folder(const Graph& graph)
      : graph_(graph), readers_(graph.nodes.size()), values_(readers_.size()) {}

  FoldedGraph Fold() {
    SetInput();
    CountReaders();
    for (std::size_t i = 0; i < readers_.size(); ++i) {
      if (readers_[i] == 0) continue;
      node_ = &graph_.nodes[i];
      Value value = std::visit([&](const auto& operation) { return Make(operation); }, node_->operation);
      CheckShape(value);
      value.sole = value.sole && readers_[i] == 1;
      values_[i] = value;
    }
    if (folded_.network.layers.empty()) Fail(graph_.file, ": has no layers that make its output");
    EndWith(values_[static_cast<std::size_t>(graph_.output)]);
    return std::move(folded_);
  }

 private:
  void EndWith(const Value& output) {
    CheckNormTaken(output);
    if (output.zeros != Padding())
      BadNode(graph_, *node_, "puts zeros around the output, expected a convolution right behind them");
    if (output.end != nullptr)
      folded_.answers = IsSoftmax(*output.end) ? Answers::kSoftmax : Answers::kSigmoid;
    if (output.end != nullptr) FoldLastNorm(output);
    if (output.averaged || output.end != nullptr) return;
    folded_.added_average = true;
    Layer pool = Begin(LayerKind::kGlobalAveragePool, output, output.shape.channels);
    pool.name = "pool";
    End(std::move(pool), {}, true);
  }

  // A classifier has no batch norm of its own.
  void FoldLastNorm(const Value& output) {
    const auto index = static_cast<std::size_t>(output.layer);
    Layer& layer = folded_.network.layers[index];
    if (layer.kind == LayerKind::kFullyConnected && layer.batch_norm && layer.activation == Activation::kNone)
      TakeNormIn(layer, folded_.weights[index]);
  }

  static bool IsSoftmax(const Node& node) { return std::holds_alternative<op::Softmax>(node.operation); }

  // A softmax or sigmoid that is not at the end.
  [[noreturn]] void BadEnd(const Node& node) const {
    BadNode(graph_, node,
            Concat("is a ", IsSoftmax(node) ? "softmax" : "sigmoid",
                   " in the network's midst, expected one at its end at most"));
  }

  template <typename... Parts>
  [[noreturn]] void Bad(const Parts&... parts) const {
    BadNode(graph_, *node_, Concat(parts...));
  }

  void SetInput() {
    const Resolution sides = graph_.resolution.value_or(Resolution());
    for (const int side : {sides.height, sides.width}) {
      if (side < 1 || side > kMostSide)
        Fail(graph_.file, ": takes images of ", sides.height, " x ", sides.width, " pixels, expected 1 to ",
             kMostSide, " a side");
    }
    const int channels = graph_.channels == 0 ? ChannelsOfFirstConvolution() : graph_.channels;
    if (channels != 1 && channels != 3)
      Fail(graph_.file, ": takes images of ", channels, " channels, expected 3 or 1");
    folded_.network.input = {sides.height, sides.width, channels};
    input_.shape = folded_.network.input;
  }

  [[nodiscard]] int ChannelsOfFirstConvolution() const {
    for (const Node& node : graph_.nodes) {
      const auto* first = std::get_if<op::Convolution>(&node.operation);
      if (first != nullptr && first->weight.shape.size() == 4 && first->weight.shape[2] <= kMostSide)
        return static_cast<int>(first->weight.shape[2]);
    }
    return 3;
  }

  // Only what leads to the output has readers.
  void CountReaders() {
    int readers_of_input = 0;
    if (graph_.output != kNetworkInput) ++readers_.at(static_cast<std::size_t>(graph_.output));
    for (std::size_t i = readers_.size(); i-- > 0;) {
      if (readers_[i] == 0) continue;
      const Node& node = graph_.nodes[i];
      const bool two = std::holds_alternative<op::Add>(node.operation) ||
                       std::holds_alternative<op::Multiply>(node.operation);
      if (node.inputs.size() != (two ? 2 : 1))
        BadNode(graph_, node, Concat("reads ", node.inputs.size(), " maps, expected ", two ? "two" : "one"));
      for (const int from : node.inputs) {
        if (from >= static_cast<int>(i)) BadNode(graph_, node, "reads what only comes after it");
        ++(from == kNetworkInput ? readers_of_input : readers_.at(static_cast<std::size_t>(from)));
      }
    }
    input_.sole = readers_of_input <= 1;
  }

  // The map that the node reads, as windows can: perhaps with zeros around it.
  [[nodiscard]] const Value& Input(std::size_t number = 0) const {
    const Value& value = Normed(number);
    CheckNormTaken(value);
    return value;
  }

  // The same for what may have a batch norm before it.
  [[nodiscard]] const Value& Normed(std::size_t number = 0) const {
    const Value& value = Untouched(number);
    if (value.end != nullptr) BadEnd(*value.end);
    return value;
  }

  void CheckNormTaken(const Value& value) const {
    if (!value.norms.empty())
      BadNode(graph_, *value.norms.front(),
              "changes each channel as a batch norm does, but is neither right behind a convolution or fully "
              "connected layer nor right before a fully connected or 1 x 1 one");
  }

  // The same for what only passes on what it reads.
  [[nodiscard]] const Value& Untouched(std::size_t number = 0) const {
    const int from = node_->inputs[number];
    return from == kNetworkInput ? input_ : values_[static_cast<std::size_t>(from)];
  }

  // The map that the node reads, where it has to be one without zeros around it.
  [[nodiscard]] const Value& Plain(std::size_t number = 0) const {
    CheckNormTaken(Untouched(number));
    return PlainOrNormed(number);
  }

  [[nodiscard]] const Value& PlainOrNormed(std::size_t number = 0) const {
    const Value& value = Normed(number);
    if (value.zeros != Padding())
      Bad("reads a map with zeros around it, expected a convolution right behind them");
    return value;
  }

  // A weight's dimensions, which layers hold as int.
  void CheckWeight(const Tensor& weight, std::size_t rank) const {
    const auto fits = [](std::int64_t n) { return n >= 1 && n <= std::numeric_limits<int>::max(); };
    if (weight.shape.size() != rank || !std::ranges::all_of(weight.shape, fits))
      Bad("has a weight of shape ", ShapeText(weight.shape), ", expected ", rank, " dimensions from 1");
  }

  void CheckChannels(std::int64_t channels, const Value& in) const {
    if (channels != in.shape.channels)
      Bad("has weights for ", channels, " channels, but reads a map of ", in.shape.channels);
  }

  [[nodiscard]] Layer Begin(LayerKind kind, const Value& in, std::int64_t channels) const {
    Layer layer;
    layer.name = node_->name;
    layer.kind = kind;
    layer.inputs = {in.layer};
    layer.input = in.shape;
    layer.output.channels = static_cast<int>(channels);
    return layer;
  }

  Value End(Layer layer, Weights weights, bool averaged) {
    layer.output = OutputOf(layer);
    if (layer.output.height < 1 || layer.output.width < 1)
      Bad("has a window of ", layer.kernel, " x ", layer.kernel, ", larger than its map of ",
          Sides(layer.input));
    Value value = {static_cast<int>(folded_.network.layers.size()), layer.output, {}, true, averaged};
    folded_.network.layers.push_back(std::move(layer));
    folded_.weights.push_back(std::move(weights));
    return value;
  }

  void CompleteBias(std::size_t channels, std::vector<float>& bias) const {
    if (bias.empty()) bias.resize(channels);
    if (bias.size() != channels) Bad("has a bias of ", bias.size(), " values, expected ", channels);
  }

  // A layer with weights has a bias until a batch norm takes it in.
  Value EndWithBias(Layer layer, const Tensor& weight, std::vector<float> bias, bool averaged) {
    CompleteBias(static_cast<std::size_t>(layer.output.channels), bias);
    layer.bias = true;
    return End(std::move(layer), {{".weight", weight}, {".bias", VectorOf(std::move(bias))}}, averaged);
  }

  // The padding that "same" is where zeros lie around the map already.
  static Padding SamePadding(Layer layer, const Shape& padded) {
    layer.input = padded;
    PlaceWindow(PaddingStyle::kSame, layer);
    return layer.padding;
  }

  Value Slide(const op::Window& window, LayerKind kind, std::int64_t channels) {
    const Value& in = Input();
    if (in.averaged) Bad("comes after the average over the map, where only the classifier belongs");
    const auto& shape = window.weight.shape;
    if (shape[0] != shape[1] || shape[0] > kMostWindow)
      Bad("has a window of ", shape[0], " x ", shape[1], ", expected a square one, at most ", kMostWindow);
    CheckStride(window.stride);
    Layer layer = Begin(kind, in, channels);
    layer.kernel = static_cast<int>(shape[0]);
    layer.stride = window.stride;
    const bool same = !window.padding.has_value();
    layer.padding = in.zeros + (same ? SamePadding(layer, Padded(in)) : *window.padding);
    NotePadding(layer, same);
    const Padding& p = layer.padding;
    if (std::max({p.top, p.bottom, p.left, p.right}) >= layer.kernel)
      Bad("is padded with ", p.top, ", ", p.bottom, ", ", p.left, " and ", p.right,
          " zeros above, below, left and right, expected fewer than its window's ", layer.kernel);
    return EndWithBias(std::move(layer), window.weight, window.bias, false);
  }

  void CheckStride(const Stride& stride) const {
    for (const int s : {stride.down, stride.across}) {
      if (s < 1 || s > kMostWindow) Bad("has the stride ", s, ", expected 1 to ", kMostWindow);
    }
  }

  Value Make(const op::MaxPool& pool) {
    const Value& in = Plain();
    if (in.averaged) Bad("comes after the average over the map, where only the classifier belongs");
    CheckStride(pool.stride);
    if (pool.kernel < 1 || pool.kernel > kMostDepthwiseWindow)
      Bad("has a window of ", pool.kernel, ", expected 1 to ", kMostDepthwiseWindow);
    Layer layer = Begin(LayerKind::kMaxPool, in, in.shape.channels);
    layer.kernel = pool.kernel;
    layer.stride = pool.stride;
    return End(std::move(layer), {}, false);
  }

  void NotePadding(const Layer& layer, bool same) {
    const Padding below_right = {0, layer.kernel / 2, 0, layer.kernel / 2};
    const bool strided = layer.kind == LayerKind::kDepthwise && layer.stride != 1;
    if (strided && !same && layer.padding == below_right) folded_.padding = PaddingStyle::kKeras;
    if (same && folded_.padding == PaddingStyle::kSymmetric) folded_.padding = PaddingStyle::kSame;
  }

  Value Mix(LayerKind kind, const Value& in, Tensor weight, std::vector<float> bias) {
    CheckChannels(weight.shape[0], in);
    const bool averaged = kind == LayerKind::kFullyConnected;
    CompleteBias(static_cast<std::size_t>(weight.shape[1]), bias);
    for (std::size_t i = in.norms.size(); i-- > 0;)
      Absorb(AffineOf(std::get<op::Norm>(in.norms[i]->operation)), weight, bias);
    return EndWithBias(Begin(kind, in, weight.shape[1]), weight, bias, averaged);
  }

  Value Make(const op::Convolution& c) {
    CheckWeight(c.weight, 4);
    const auto& shape = c.weight.shape;
    CheckChannels(shape[2], Normed());
    if (shape[0] == 1 && shape[1] == 1 && c.stride == 1) return MakePointwise(c);
    Value value = Slide(c, LayerKind::kConvolution, shape[3]);
    if (value.layer == 0) folded_.first = &c;
    return value;
  }

  Value MakePointwise(const op::Convolution& c) {
    const Value& in = Normed();
    if (in.zeros != Padding() || c.padding.value_or(Padding()) != Padding())
      Bad("is a 1 x 1 convolution of a padded map, which no MobileNet has");
    const Tensor weight = {{c.weight.shape[2], c.weight.shape[3]}, c.weight.values, c.weight.owner};
    return Mix(in.averaged ? LayerKind::kFullyConnected : LayerKind::kPointwise, in, weight, c.bias);
  }

  Value Make(const op::Depthwise& d) {
    CheckWeight(d.weight, 3);
    CheckChannels(d.weight.shape[2], Input());
    return Slide(d, LayerKind::kDepthwise, d.weight.shape[2]);
  }

  Value Make(const op::Dense& d) {
    CheckWeight(d.weight, 2);
    const Value& in = PlainOrNormed();
    if (in.shape.height != 1 || in.shape.width != 1)
      Bad("classifies a map that was not averaged, expected an average over the whole map before it");
    return Mix(LayerKind::kFullyConnected, in, d.weight, d.bias);
  }

  Value Make(const op::Zeros& zeros) {
    const Padding& p = zeros.padding;
    Value value = Input();
    for (const auto& [before, after] : {std::pair(p.top, p.bottom), std::pair(p.left, p.right)}) {
      if (std::min(before, after) < 0 || std::max(before, after) >= kMostWindow)
        Bad("puts ", before, " and ", after, " zeros around the map, expected fewer than ", kMostWindow,
            " a side");
    }
    value.zeros = value.zeros + p;
    if (Padded(value).height > 2 * kMostSide || Padded(value).width > 2 * kMostSide)
      Bad("is one of too many layers of zeros");
    return value;
  }

  // The layer that the node's work becomes a part of.
  Layer& Join(const Value& in) {
    if (in.layer == kNetworkInput) Bad("comes before the first convolution, expected it behind one");
    Layer& layer = folded_.network.layers[static_cast<std::size_t>(in.layer)];
    if (!in.sole) Bad("changes the map of ", layer.name, ", which others read as it is");
    if (!TraitsOf(layer.kind).activation)
      Bad("comes right behind ", layer.kind == LayerKind::kGlobalAveragePool
                                     ? "the average over the map, where only the classifier belongs"
                                     : Concat("the layer ", layer.name, ", which is ", NameOf(layer.kind),
                                              ", expected a convolution there"));
    return layer;
  }

  Value Make(const op::Norm& norm) {
    const Value& in = PlainOrNormed();
    CheckNorm(norm, in);
    if (in.layer == kNetworkInput) {
      folded_.learned_rescale = true;
      return Make(RescaleOf(norm));
    }
    Layer& layer = folded_.network.layers[static_cast<std::size_t>(in.layer)];
    const bool joins =
        in.sole && in.norms.empty() && TraitsOf(layer.kind).weights && layer.activation == Activation::kNone;
    if (!joins) return Waiting(in);
    Weights& weights = folded_.weights[static_cast<std::size_t>(in.layer)];
    layer.batch_norm ? AddSecondNorm(norm, weights) : AddNorm(norm, layer, weights);
    if (in.layer == 0 && folded_.first != nullptr && folded_.first_norm == nullptr)
      folded_.first_norm = &norm;
    return in;
  }

  [[nodiscard]] Value Waiting(Value value) const {
    constexpr std::size_t kMostNorms = 16;  // each of which is multiplied into a weight
    value.norms.push_back(node_);
    if (value.norms.size() > kMostNorms) Bad("is one of more than ", kMostNorms, " batch norms in a row");
    return value;
  }

  void CheckNorm(const op::Norm& norm, const Value& in) const {
    const bool channels_last =
        norm.axis == -1 || norm.axis == 3 || (norm.axis == 1 && in.shape.height == 1 && in.shape.width == 1);
    if (!channels_last) Bad("normalises along the axis ", norm.axis, ", expected the channels, -1");
    const auto channels = static_cast<std::size_t>(in.shape.channels);
    for (const auto* values : {&norm.mean, &norm.variance, &norm.gamma, &norm.beta}) {
      const bool absent = values->empty() && (values == &norm.gamma || values == &norm.beta);
      if (!absent && values->size() != channels)
        Bad("has ", values->size(), " values of a kind, expected ", channels);
    }
  }

  Value Make(const op::Activate& activate) {
    const Value& in = Plain();
    Layer& layer = Join(in);
    SetActivation(activate.activation, layer);
    if (activate.slope != 1)
      Steepen(activate.slope, layer, folded_.weights[static_cast<std::size_t>(in.layer)]);
    return in;
  }

  void SetActivation(Activation activation, Layer& layer) const {
    const auto clips = [](Activation a) { return a == Activation::kRelu || a == Activation::kRelu6; };
    if (layer.activation != Activation::kNone && !(clips(activation) && clips(layer.activation)))
      Bad("is ", NameOf(activation), " behind the ", NameOf(layer.activation), " of ", layer.name,
          ", expected one of the two");
    // What was clipped at 6 once stays so.
    if (layer.activation != Activation::kRelu6) layer.activation = activation;
  }

  // What a layer makes times a number, as far as it is linear: its weights do that.
  void Steepen(double slope, const Layer& layer, Weights& weights) const {
    if (!(slope > 0) || !std::isfinite(slope)) Bad("has the slope ", slope, ", expected a positive number");
    if (!TraitsOf(layer.kind).weights)
      Bad("is steeper than others behind ", layer.name, ", which has no weights");
    Multiply(slope, weights);
  }

  // A hard-sigmoid whose shift by 3 a converter has made a part of the bias: relu6(v) / 6 so far.
  Value TakeShiftBack(const op::Rescale& sixth, const Value& in) {
    const Layer& layer = folded_.network.layers[static_cast<std::size_t>(in.layer)];
    if (!IsSixth(sixth) || !in.sole || !layer.bias || layer.activation != Activation::kRelu6)
      Bad("rescales values within the network, expected that right after the input, or x + 3 and / 6 as in "
          "hard-swish and hard-sigmoid");
    ShiftBias(-3, folded_.weights[static_cast<std::size_t>(in.layer)]);
    folded_.network.layers[static_cast<std::size_t>(in.layer)].activation = Activation::kHardSigmoid;
    return in;
  }

  // The gate is of 1 x 1; where both are, it is the one that was made by a hard-sigmoid.
  Value Make(const op::Multiply&) {
    const auto pixel = [&](std::size_t i) { return Plain(i).shape.height == 1 && Plain(i).shape.width == 1; };
    const auto sigmoid = [&](std::size_t i) {
      const int layer = Plain(i).layer;
      return layer != kNetworkInput &&
             folded_.network.layers[static_cast<std::size_t>(layer)].activation == Activation::kHardSigmoid;
    };
    const std::size_t gate = pixel(0) && (!pixel(1) || (sigmoid(0) && !sigmoid(1))) ? 0 : 1;
    const Value& map = Plain(1 - gate);
    const Value& by = Plain(gate);
    if (by.shape != Shape{1, 1, map.shape.channels})
      Bad("multiplies a map of ", Sides(map.shape), " x ", map.shape.channels, " with one of ",
          Sides(by.shape), " x ", by.shape.channels, ", expected one number for each channel");
    Layer layer = Begin(LayerKind::kScale, map, map.shape.channels);
    layer.inputs.push_back(by.layer);
    return End(std::move(layer), {}, map.averaged);
  }

  Value Make(const op::Add&) {
    const Value& a = Plain(0);
    const Value& b = Plain(1);
    if (a.shape != b.shape)
      Bad("adds a map of ", Sides(a.shape), " x ", a.shape.channels, " and one of ", Sides(b.shape), " x ",
          b.shape.channels, ", expected the same shape");
    // As recipes have it: what was computed last, and then what skipped it.
    Layer layer = Begin(LayerKind::kAdd, a, a.shape.channels);
    layer.inputs = {std::max(a.layer, b.layer), std::min(a.layer, b.layer)};
    return End(std::move(layer), {}, a.averaged && b.averaged);
  }

  Value Make(const op::Average& average) {
    const Value& in = PlainOrNormed();  // the average of what is normalised is the normalised average
    if (in.averaged) Bad("comes after the average over the map, where only the classifier belongs");
    if (average.height != 0 && (average.height != in.shape.height || average.width != in.shape.width))
      Bad("averages over ", average.height, " x ", average.width, " pixels, expected the whole map of ",
          Sides(in.shape));
    // Padded as "same", one window for each step fits, some of them over the edge.
    const bool once = average.stride_height >= in.shape.height && average.stride_width >= in.shape.width;
    if (average.same && !once)
      Bad("averages around every ", average.stride_height, " x ", average.stride_width,
          " pixels, expected one average over the whole map of ", Sides(in.shape));
    const auto norms = in.norms;
    Value value = End(Begin(LayerKind::kGlobalAveragePool, in, in.shape.channels), {}, true);
    value.norms = norms;
    return value;
  }

  // Only axes of one value may come or go: anything else would mix pixels with channels.
  Value Make(const op::Reshape& reshape) {
    Value value = Untouched();
    if (value.zeros != Padding()) value = Plain();  // which says what is wrong
    const auto from = WithoutOnes(value.shape);
    const auto to = WithoutOnes(reshape.shape);
    const bool free = to.size() == 1 && to[0] == -1;  // whatever fits
    if (from.size() > 1 || (!free && from != to))
      Bad("makes ", ShapeText(reshape.shape), " of a map of ", Sides(value.shape), " x ",
          value.shape.channels, ", expected the same values for each channel");
    return value;
  }

  Value Make(const op::Softmax&) { return MakeEnd(); }
  Value Make(const op::Sigmoid&) { return MakeEnd(); }

  Value MakeEnd() const {
    Value value = Plain();
    const bool logits = value.layer != kNetworkInput && value.shape.height == 1 && value.shape.width == 1 &&
                        TraitsOf(folded_.network.layers[static_cast<std::size_t>(value.layer)].kind).mixes;
    if (!logits) BadEnd(*node_);
    value.end = node_;
    return value;
  }

  // The input, of which nobody else sees what it was.
  [[nodiscard]] const Value& NetworkInput(const char* does) const {
    const Value& in = Input();
    if (in.layer != kNetworkInput || in.zeros != Padding() || !in.sole)
      Bad(does, " within the network, expected that right after the input");
    return in;
  }

  Value Make(const op::Reverse&) {
    const Value& in = NetworkInput("turns the channels around");
    if (in.shape.channels == 1) return in;
    folded_.reversed = !folded_.reversed;
    if (folded_.rescale) {
      std::ranges::reverse(folded_.rescale->scale);
      std::ranges::reverse(folded_.rescale->offset);
    }
    return in;
  }

  // Several follow each other, as a subtraction and a division do.
  Value Make(const op::Rescale& rescale) {
    if (Untouched().layer != kNetworkInput) return TakeShiftBack(rescale, Plain());
    const Value& in = NetworkInput("rescales values");
    op::Rescale sum = folded_.rescale.value_or(op::Rescale());
    for (std::size_t c = 0; c < sum.scale.size(); ++c) {
      sum.scale[c] *= rescale.scale[c];
      sum.offset[c] = sum.offset[c] * rescale.scale[c] + rescale.offset[c];
      if (!(rescale.scale[c] > 0) || !std::isfinite(sum.scale[c]) || !std::isfinite(sum.offset[c]))
        Bad("has the scale ", rescale.scale[c], " and the offset ", rescale.offset[c],
            ", expected a positive scale and finite numbers");
    }
    folded_.rescale = sum;
    return in;
  }

  Value Make(const op::Identity&) { return Untouched(); }

  // A file that says what comes out must agree.
  void CheckShape(const Value& value) const {
    const auto& shape = node_->shape;
    if (!shape.empty() && WithoutOnes(shape) != WithoutOnes(Padded(value)))
      Bad("makes a map of ", Sides(Padded(value)), " x ", value.shape.channels, ", but the file says ",
          ShapeText(shape));
  }

  const Graph& graph_;
  std::vector<int> readers_;   // of each node, on the way to the output
  std::vector<Value> values_;  // of each node
  Value input_;
  const Node* node_ = nullptr;  // the one that is looked at
  FoldedGraph folded_;
};

}  // namespace

FoldedGraph FoldGraph(const Graph& graph) { return Folder(graph).Fold(); }

}  // namespace mobilenet
