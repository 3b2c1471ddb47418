#include "image/coded_size.h"

#include <algorithm>
#include <map>
#include <vector>

#include "image/coded_frames.h"
#include "image/heif_items.h"

namespace mobilenet {
namespace {

std::uint64_t Product(std::uint64_t a, std::uint64_t b) {
  return a != 0 && b > kEndless / a ? kEndless : a * b;
}

CodedFrames FramesOf(const HeifProperty& property) {
  if (property.tag == Tag("hvcC")) return FramesOfHvcc(property.content);
  if (property.tag == Tag("av1C")) return FramesOfObus(Part(property.content, 4, property.content.size()));
  return {};
}

// Of an item that is a coded picture.
CodedFrames FramesOf(const HeifItem& item) {
  return item.type == Tag("av01") ? FramesOfObus(item.data) : FramesOfNals(item.data);
}

bool IsCoded(const HeifItem& item) { return item.type == Tag("hvc1") || item.type == Tag("av01"); }

// ISO/IEC 23008-12, 6.6.2: what a grid or an overlay is laid on, none for other items.
std::uint64_t CanvasOf(const HeifItem& item) {
  const bool is_grid = item.type == Tag("grid");
  if (!is_grid && item.type != Tag("iovl")) return 0;
  BitReader reader(item.data);
  reader.Skip(8);
  const std::uint64_t bytes = (reader.Integer(1) & 1U) != 0 ? 4 : 2;
  reader.Skip(8 * (is_grid ? 2 : 8));  // rows and columns, or a colour of four times 16 bits
  const std::uint64_t width = reader.Integer(bytes);
  return Product(width, reader.Integer(bytes));
}

// What libheif does for an item. It keeps nothing: what is named again is done again.
class Work {
 public:
  // `parameters` are the pixels that each property tells.
  Work(const HeifItems& items, const std::vector<std::uint64_t>& parameters)
      : items_(items.all()), properties_(items.properties()), parameters_(parameters) {}

  std::uint64_t Of(std::uint64_t id, int depth = 0) {
    constexpr int kDeepest = 8;
    const auto item = items_.find(id);
    if (item == items_.end()) return 0;
    if (depth > kDeepest) return kEndless;
    const auto [known, is_new] = known_.try_emplace(id, kEndless);  // until it is known: of itself
    if (is_new) known->second = Counted(item->second, depth + 1);
    return known->second;
  }

 private:
  std::uint64_t Counted(const HeifItem& item, int depth) {
    constexpr std::uint64_t kLeast = 128 * 128;
    const std::uint64_t inputs = IsCoded(item) ? 0 : Sum(item.from, depth);
    const std::uint64_t pixels = IsCoded(item)              ? Decoded(item)
                                 : item.type == Tag("iden") ? inputs
                                                            : CanvasOf(item);
    const auto turns = std::ranges::count_if(item.own, [&](std::size_t property) {
      const std::uint32_t tag = properties_[property].tag;
      return tag == Tag("irot") || tag == Tag("imir") || tag == Tag("clap");
    });
    const std::uint64_t own = Product(std::max(pixels, kLeast), 1 + static_cast<std::uint64_t>(turns));
    return std::min(kEndless, inputs + own + Sum(item.extra, depth));
  }

  [[nodiscard]] std::uint64_t Decoded(const HeifItem& item) const {
    if (item.repeats) return kEndless;
    const CodedFrames in_data = FramesOf(item);
    std::uint64_t pixels = in_data.pixels;
    for (const std::size_t property : item.own) pixels = std::max(pixels, parameters_[property]);
    return Product(pixels, std::max<std::uint64_t>(in_data.frames, 1));
  }

  std::uint64_t Sum(const std::vector<std::uint64_t>& ids, int depth) {
    std::uint64_t sum = 0;
    for (const std::uint64_t id : ids) sum = std::min(kEndless, sum + Of(id, depth));
    return sum;
  }

  const std::map<std::uint64_t, HeifItem>& items_;
  const std::vector<HeifProperty>& properties_;
  const std::vector<std::uint64_t>& parameters_;
  std::map<std::uint64_t, std::uint64_t> known_;
};

std::uint64_t LargestOf(const HeifItems& items, const std::vector<std::uint64_t>& parameters) {
  std::uint64_t most = parameters.empty() ? 0 : std::ranges::max(parameters);
  for (const auto& [id, item] : items.all()) {
    if (!IsCoded(item)) continue;
    const std::uint64_t pixels = FramesOf(item).pixels;
    if (item.type == Tag("av01") && pixels == 0) return 0;  // libheif loses memory over empty ones
    most = std::max(most, pixels);
  }
  return most;
}

}  // namespace

CodedSize CodedSizeOf(std::span<const std::uint8_t> file) {
  constexpr std::uint64_t kTimes = 8;
  constexpr std::uint64_t kMargin = std::uint64_t{1} << 24;
  const HeifItems items(file);
  if (items.named() > kTimes * file.size() + kMargin) return {0, kEndless};
  std::vector<std::uint64_t> parameters;
  for (const HeifProperty& property : items.properties()) parameters.push_back(FramesOf(property).pixels);
  return {LargestOf(items, parameters), Work(items, parameters).Of(items.primary())};
}

}  // namespace mobilenet
