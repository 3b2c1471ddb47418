// ONNX's operators that move axes, and the arithmetic of shapes that exporters write before them.
#include <algorithm>
#include <numeric>

#include "base/fail.h"
#include "formats/onnx_reader.h"

namespace mobilenet {
namespace {

constexpr std::size_t kMostAxes = 8;
constexpr std::size_t kMostIntegers = 64;

template <typename T>
std::vector<T> Permuted(const std::vector<T>& values, const std::vector<int>& order) {
  std::vector<T> result;
  result.reserve(order.size());
  for (const int from : order) result.push_back(values[static_cast<std::size_t>(from)]);
  return result;
}

bool IsAny(std::int64_t n) { return n == kAnything || n == -1; }

}  // namespace

OnnxReader::Constant OnnxReader::ListOf(std::vector<std::int64_t> integers) const {
  if (integers.size() > kMostIntegers)
    Bad("makes a list of ", integers.size(), " integers, expected at most ", kMostIntegers);
  Constant list;
  list.shape = {static_cast<std::int64_t>(integers.size())};
  list.integers = std::move(integers);
  return list;
}

void OnnxReader::AddConstant() {
  if (const auto* tensor = Find("value"); tensor != nullptr)
    return Set(OrBad([&] { return OnnxTensors::Whole(tensor->t()); }));
  if (Find("value_int") != nullptr) {
    Constant one = ListOf({Integer("value_int", 0)});
    one.shape = {};
    return Set(one);
  }
  if (Find("value_ints") != nullptr) return Set(ListOf(IntegersIn("value_ints")));
  const auto* number = Find("value_float");
  const auto* numbers = Find("value_floats");
  if (number == nullptr && numbers == nullptr) Bad("holds no numbers, expected them");
  onnx::Tensor& made = made_.emplace_back();
  made.set_data_type(onnx_type::kFloat32);
  if (number != nullptr) made.add_float_data(number->f());
  if (numbers != nullptr) *made.mutable_float_data() = numbers->floats();
  if (numbers != nullptr) made.add_dims(numbers->floats_size());
  Set(OrBad([&] { return OnnxTensors::Whole(made); }));
}

void OnnxReader::AddTranspose() {
  Value value = ValueAt(0);
  auto* map = std::get_if<Map>(&value);
  auto* constant = std::get_if<Constant>(&value);
  const std::size_t rank = map != nullptr ? map->axes.size() : constant->shape.size();
  std::vector<int> order;
  for (const std::int64_t axis : IntegersIn("perm")) order.push_back(AxisOf(axis, rank));
  if (order.empty()) {  // backwards
    for (std::size_t axis = rank; axis-- > 0;) order.push_back(static_cast<int>(axis));
  }
  std::vector<int> sorted = order;
  std::ranges::sort(sorted);
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (sorted.size() != rank || sorted[i] != static_cast<int>(i))
      Bad("has a perm that is no order of ", rank, " axes");
  }
  if (map != nullptr) {
    map->axes = Permuted(map->axes, order);
  } else {
    if (constant->tensor == nullptr) Bad("transposes a shape of the network, which is not read");
    constant->shape = Permuted(constant->shape, order);
    constant->strides = Permuted(constant->strides, order);
  }
  Set(std::move(value));
}

void OnnxReader::AddReshape() {
  const std::vector<std::int64_t> shape = IntegersAt(1);
  if (shape.size() > kMostAxes) Bad("makes ", shape.size(), " axes, expected at most ", kMostAxes);
  if (Integer("allowzero", 0) != 0 && std::ranges::find(shape, 0) != shape.end())
    Bad("makes an axis of 0 values");
  const Value value = ValueAt(0);
  if (const auto* constant = std::get_if<Constant>(&value); constant != nullptr)
    return Reshape(*constant, shape);
  Reshape(MapAt(0), shape);
}

void OnnxReader::Reshape(const Constant& constant, std::vector<std::int64_t> shape) {
  std::int64_t known = 1;
  std::optional<std::size_t> open;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0 && i < constant.shape.size()) shape[i] = constant.shape[i];
    if (IsAny(shape[i]) && !open) {
      open = i;
    } else if (shape[i] < 1 || shape[i] > constant.size() / known) {
      Bad("makes ", ShapeText(shape), " of a constant of shape ", ShapeText(constant.shape));
    } else {
      known *= shape[i];
    }
  }
  if (open) shape[*open] = constant.size() / known;
  if (open) known *= shape[*open];
  const bool whole = constant.tensor == nullptr || constant.strides == OnnxTensors::Strides(constant.shape);
  if (known != constant.size() || !whole)
    Bad("makes ", ShapeText(shape), " of a constant of shape ", ShapeText(constant.shape), " in ",
        whole ? "order" : "another order", ", which is not read");
  Constant result = constant;
  if (constant.tensor != nullptr) result.strides = OnnxTensors::Strides(shape);
  result.shape = std::move(shape);
  Set(std::move(result));
}

void OnnxReader::Reshape(const Map& map, const std::vector<std::int64_t>& shape) {
  auto axes = AxesAfter(map, shape);
  std::vector<std::int64_t> shown = shape;
  std::ranges::replace(shown, kAnything, -1);
  if (!axes)
    Bad("makes ", ShapeText(shown), " of a map of ", TextOf(map),
        ", expected the same values for each channel");
  Map result = map;
  result.axes = std::move(*axes);
  Set(std::move(result));
}

// What the axes stand for once they have another shape: axes of one value may come and go, and height and
// width become one. Nothing where values of one channel would get to another.
std::optional<std::vector<OnnxReader::Axis>> OnnxReader::AxesAfter(
    const Map& map, const std::vector<std::int64_t>& shape) const {
  if (shape.empty() || map.axes.empty() || map.axes[0] != Axis::kBatch) return std::nullopt;
  std::vector<Axis> from;
  for (const Axis axis : map.axes) {
    if (axis != Axis::kBatch && SizeOf(map, axis) != 1) from.push_back(axis);
  }
  std::vector<std::int64_t> sizes = {shape.begin() + 1, shape.end()};
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] == 0 && i + 1 < map.axes.size()) sizes[i] = SizeOf(map, map.axes[i + 1]);
  }
  auto left = static_cast<std::size_t>(std::ranges::count_if(sizes, [](std::int64_t n) { return n != 1; }));
  std::vector<Axis> axes = {Axis::kBatch};
  std::size_t next = 0;
  for (const std::int64_t size : sizes) {
    if (size == 1 || (IsAny(size) && next == from.size())) {
      axes.push_back(Axis::kOne);
      continue;
    }
    if (next == from.size()) return std::nullopt;
    const bool pixels =
        next + 1 < from.size() && from[next] == Axis::kHeight && from[next + 1] == Axis::kWidth;
    if (size == SizeOf(map, from[next]) || (IsAny(size) && left >= from.size() - next)) {
      axes.push_back(from[next++]);
    } else if (pixels && (IsAny(size) || size == SizeOf(map, Axis::kPixels))) {
      axes.push_back(Axis::kPixels);
      next += 2;
    } else {
      return std::nullopt;
    }
    --left;
  }
  if (next != from.size()) return std::nullopt;
  // One channel has no axis that could be told from others of one value.
  if (std::ranges::find(axes, Axis::kChannels) == axes.end()) {
    const auto one = std::ranges::find(axes, Axis::kOne);
    if (one == axes.end()) return std::nullopt;
    *one = Axis::kChannels;
  }
  return axes;
}

void OnnxReader::AddFlatten() {
  const Map map = MapAt(0);
  const std::int64_t axis = Integer("axis", 1);
  if (axis != 1 && axis + static_cast<std::int64_t>(map.axes.size()) != 1)
    Bad("flattens from the axis ", axis, " on, expected 1, behind the batch");
  Reshape(map, {kAnything, -1});
}

void OnnxReader::AddSqueeze() {
  Value value = ValueAt(0);
  auto* map = std::get_if<Map>(&value);
  auto* constant = std::get_if<Constant>(&value);
  const std::vector<std::int64_t> sizes = map != nullptr ? SizesOf(*map) : constant->shape;
  const auto given = IntegersOf("axes", 1);
  if (!given && map != nullptr) Bad("doesn't say which axes it removes, expected their numbers");
  std::vector<bool> removed(sizes.size());
  for (std::size_t i = 0; !given && i < sizes.size(); ++i) removed[i] = sizes[i] == 1;
  for (const std::int64_t axis : given.value_or(std::vector<std::int64_t>()))
    removed[static_cast<std::size_t>(AxisOf(axis, sizes.size()))] = true;
  for (std::size_t i = sizes.size(); i-- > 0;) {
    if (!removed[i]) continue;
    const auto at = static_cast<std::ptrdiff_t>(i);
    const bool named = map != nullptr && (map->axes[i] == Axis::kBatch || map->axes[i] == Axis::kChannels);
    if (sizes[i] != 1 || named)
      Bad("removes the axis ", i, " of ", map != nullptr ? TextOf(*map) : ShapeText(sizes),
          ", expected one of one value");
    if (map != nullptr) map->axes.erase(map->axes.begin() + at);
    if (constant != nullptr) constant->shape.erase(constant->shape.begin() + at);
    if (constant != nullptr && constant->tensor != nullptr)
      constant->strides.erase(constant->strides.begin() + at);
  }
  Set(std::move(value));
}

void OnnxReader::AddUnsqueeze() {
  Value value = ValueAt(0);
  auto* map = std::get_if<Map>(&value);
  auto* constant = std::get_if<Constant>(&value);
  const std::vector<std::int64_t> given = IntegersOf("axes", 1).value_or(std::vector<std::int64_t>());
  const std::size_t rank = (map != nullptr ? map->axes.size() : constant->shape.size()) + given.size();
  if (rank > kMostAxes) Bad("makes ", rank, " axes, expected at most ", kMostAxes);
  std::vector<int> places;
  places.reserve(given.size());
  for (const std::int64_t axis : given) places.push_back(AxisOf(axis, rank));
  std::ranges::sort(places);
  if (std::ranges::adjacent_find(places) != places.end()) Bad("adds an axis twice");
  for (const int place : places) {
    if (map != nullptr) map->axes.insert(map->axes.begin() + place, Axis::kOne);
    if (constant != nullptr) constant->shape.insert(constant->shape.begin() + place, 1);
    if (constant != nullptr && constant->tensor != nullptr)
      constant->strides.insert(constant->strides.begin() + place, 1);
  }
  Set(std::move(value));
}

void OnnxReader::AddShape() {
  const Value value = ValueAt(0);
  const auto* map = std::get_if<Map>(&value);
  const std::vector<std::int64_t> sizes = map != nullptr ? SizesOf(*map) : std::get<Constant>(value).shape;
  const auto rank = static_cast<std::int64_t>(sizes.size());
  const auto place = [rank](std::int64_t n) {
    return std::clamp<std::int64_t>(n < 0 ? n + rank : n, 0, rank);
  };
  const std::int64_t start = place(Integer("start", 0));
  const std::int64_t end = std::max(start, place(Integer("end", rank)));
  Set(ListOf({sizes.begin() + start, sizes.begin() + end}));
}

void OnnxReader::AddGather() {
  if (Integer("axis", 0) != 0 || !std::holds_alternative<Constant>(ValueAt(0)))
    Bad("picks values of a map, which is not read; expected those of a shape");
  const std::vector<std::int64_t> list = IntegersAt(0);
  const std::vector<std::int64_t> indices = IntegersAt(1);
  Constant result = ListOf({});
  for (const std::int64_t index : indices)
    result.integers.push_back(list[static_cast<std::size_t>(AxisOf(index, list.size()))]);
  result.shape = ConstantAt(1).shape;
  Set(std::move(result));
}

void OnnxReader::AddSlice() {
  if (!std::holds_alternative<Constant>(ValueAt(0)))
    Bad("cuts out a part of a map, which is not read; expected one of a shape");
  const std::vector<std::int64_t> list = IntegersAt(0);
  const auto number = [&](std::string_view name, int input, std::int64_t absent) {
    const auto given = IntegersOf(name, input);
    if (given && given->size() != 1) Bad("has ", given->size(), " ", name, ", expected one, for a list");
    return given ? given->front() : absent;
  };
  const auto length = static_cast<std::int64_t>(list.size());
  const auto place = [length](std::int64_t n) {
    return std::clamp<std::int64_t>(n < 0 ? std::max(n, -length) + length : n, 0, length);
  };
  const std::int64_t start = place(number("starts", 1, 0));
  const std::int64_t end = std::max(start, place(number("ends", 2, length)));
  if (number("axes", 3, 0) != 0 || number("steps", 4, 1) != 1)
    Bad("cuts with steps, expected a part in a row");
  Set(ListOf({list.begin() + start, list.begin() + end}));
}

void OnnxReader::AddConcat() {
  std::vector<std::int64_t> list;
  for (int i = 0; i < node_->input_size(); ++i) {
    if (!std::holds_alternative<Constant>(ValueAt(i))) Bad("puts maps together, which is not read");
    const std::vector<std::int64_t> part = IntegersAt(i);
    list.insert(list.end(), part.begin(), part.end());
    if (list.size() > kMostIntegers) break;  // which is refused
  }
  Set(ListOf(std::move(list)));
}

}  // namespace mobilenet
