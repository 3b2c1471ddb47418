// What a node of an ONNX file says, what it reads, and writing down what it makes.
#include <algorithm>

#include "base/fail.h"
#include "formats/onnx_reader.h"

namespace mobilenet {

const onnx::Attribute* OnnxReader::Find(std::string_view name) const {
  const auto& attributes = node_->attribute();
  const auto found = std::ranges::find_if(attributes, [&](const auto& a) { return a.name() == name; });
  return found == attributes.end() ? nullptr : &*found;
}

std::int64_t OnnxReader::Integer(std::string_view name, std::int64_t absent) const {
  const auto* attribute = Find(name);
  return attribute == nullptr ? absent : attribute->i();
}

double OnnxReader::Number(std::string_view name, double absent) const {
  const auto* attribute = Find(name);
  return attribute == nullptr ? absent : attribute->f();
}

std::string OnnxReader::Text(std::string_view name, const std::string& absent) const {
  const auto* attribute = Find(name);
  return attribute == nullptr ? absent : attribute->s();
}

std::vector<std::int64_t> OnnxReader::IntegersIn(std::string_view name) const {
  constexpr int kMost = 64;
  const auto* attribute = Find(name);
  if (attribute == nullptr) return {};
  if (attribute->ints_size() > kMost)
    Bad("has ", attribute->ints_size(), " ", name, ", expected at most ", kMost);
  return {attribute->ints().begin(), attribute->ints().end()};
}

std::optional<std::vector<std::int64_t>> OnnxReader::IntegersOf(std::string_view name, int input) {
  if (Find(name) != nullptr) return IntegersIn(name);
  if (Has(input)) return IntegersAt(input);
  return std::nullopt;
}

bool OnnxReader::Has(int input) const { return input < node_->input_size() && !node_->input(input).empty(); }

OnnxReader::Value OnnxReader::ValueAt(int input) {
  if (!Has(input)) Bad("lacks its input ", input);
  const auto found = values_.find(node_->input(input));
  if (found == values_.end()) Bad("reads ", node_->input(input), ", which nothing before it writes");
  return found->second;
}

OnnxReader::Map OnnxReader::UncutMapAt(int input) {
  const Value value = ValueAt(input);
  if (!std::holds_alternative<Map>(value)) Bad("reads a constant as its input ", input, ", expected a map");
  return std::get<Map>(value);
}

OnnxReader::Map OnnxReader::MapAt(int input) {
  Map map = UncutMapAt(input);
  if (map.capped) Bad("reads a map that is cut at 6 above, expected 0 below, too");
  return map;
}

OnnxReader::Map OnnxReader::NchwAt(int input) {
  Map map = MapAt(input);
  const auto is = [&](std::size_t i, Axis axis) {
    return map.axes[i] == axis || (map.axes[i] == Axis::kOne && SizeOf(map, axis) == 1);
  };
  const bool nchw = map.axes.size() == 4 && map.axes[0] == Axis::kBatch && map.axes[1] == Axis::kChannels &&
                    is(2, Axis::kHeight) && is(3, Axis::kWidth);
  if (!nchw) Bad("reads a map of the axes ", TextOf(map), ", expected N, C, H, W");
  return map;
}

OnnxReader::Constant OnnxReader::ConstantAt(int input) {
  const Value value = ValueAt(input);
  if (!std::holds_alternative<Constant>(value))
    Bad("reads a map as its input ", input, ", expected a constant");
  return std::get<Constant>(value);
}

std::vector<float> OnnxReader::FloatsAt(int input) {
  const Constant constant = ConstantAt(input);
  return OrBad([&] { return tensors_.Floats(constant); });
}

std::vector<std::int64_t> OnnxReader::IntegersAt(int input) {
  const Constant constant = ConstantAt(input);
  return OrBad([&] { return tensors_.Integers(constant); });
}

double OnnxReader::NumberAt(int input) {
  const Constant constant = ConstantAt(input);
  if (constant.size() != 1)
    Bad("has a constant of shape ", ShapeText(constant.shape), " as its input ", input,
        ", expected one number");
  return FloatsAt(input)[0];
}

int OnnxReader::AxisOf(std::int64_t axis, std::size_t rank) const {
  const auto count = static_cast<std::int64_t>(rank);
  if (axis < -count || axis >= count) Bad("names ", axis, " of ", rank);
  return static_cast<int>(axis < 0 ? axis + count : axis);
}

std::int64_t OnnxReader::SizeOf(const Map& map, Axis axis) const {
  switch (axis) {
    case Axis::kBatch:
      return batch_;
    case Axis::kHeight:
      return map.shape.height;
    case Axis::kWidth:
      return map.shape.width;
    case Axis::kChannels:
      return map.shape.channels == 0 ? kAnything : map.shape.channels;
    case Axis::kPixels:
      return std::int64_t{map.shape.height} * map.shape.width;
    case Axis::kOne:
      return 1;
  }
  return 1;
}

std::vector<std::int64_t> OnnxReader::SizesOf(const Map& map) const {
  std::vector<std::int64_t> sizes;
  for (const Axis axis : map.axes) sizes.push_back(SizeOf(map, axis));
  return sizes;
}

// "[N, C 64, H 7, W 7]"
std::string OnnxReader::TextOf(const Map& map) {
  std::string text;
  for (const Axis axis : map.axes) {
    text += text.empty() ? "[" : ", ";
    switch (axis) {
      case Axis::kBatch:
        text += "N";
        break;
      case Axis::kHeight:
        text += Concat("H ", map.shape.height);
        break;
      case Axis::kWidth:
        text += Concat("W ", map.shape.width);
        break;
      case Axis::kChannels:
        text += Concat("C ", map.shape.channels);
        break;
      case Axis::kPixels:
        text += Concat("H x W ", map.shape.height, " x ", map.shape.width);
        break;
      case Axis::kOne:
        text += "1";
        break;
    }
  }
  return text + "]";
}

void OnnxReader::Set(Value value) {
  const std::string& name = node_->output(0);
  if (auto* map = std::get_if<Map>(&value); map != nullptr) map->sole = map->sole && readers_[name] == 1;
  values_[name] = std::move(value);
}

void OnnxReader::Append(op::Any operation, const std::vector<Map>& inputs, Map map) {
  Node node = {
      where_, type_, node_->name().empty() ? node_->output(0) : node_->name(), {}, std::move(operation)};
  for (const Map& input : inputs) node.inputs.push_back(Reads(input));
  map.node = graph_.Append(std::move(node));
  map.sole = true;
  map.capped = false;
  Set(std::move(map));
}

// The node that makes the map: behind the input, the one that scales it where the file does.
int OnnxReader::Reads(const Map& map) {
  if (map.node != kNetworkInput || !affines_.contains(kNetworkInput)) return map.node;
  if (!rescaled_) AddInputRescale();
  return *rescaled_;
}

}  // namespace mobilenet
