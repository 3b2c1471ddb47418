#include "formats/hdf5_chunks.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "base/fail.h"
#include "formats/hdf5_arrays.h"
#include "formats/hdf5_trees.h"

namespace mobilenet::hdf5 {
namespace {

using Place = std::vector<std::uint64_t>;

class ChunkWalk {
 public:
  ChunkWalk(const File& file, const Layout& layout, const Dataspace& space, std::uint64_t size, bool filtered,
            const ChunkVisitor& visit)
      : file_(file), layout_(layout), space_(space), size_(size), filtered_(filtered), visit_(visit) {}

  void Walk() {
    if (layout_.address == kNowhere) return;
    switch (layout_.index) {
      case ChunkIndex::kTree:
        return Tree();
      case ChunkIndex::kSingle:
        return Single();
      case ChunkIndex::kImplicit:
        return Implicit();
      case ChunkIndex::kFixedArray:
        return Array(FixedArray(file_, layout_.address, filtered_), kNoDimension);
      case ChunkIndex::kExtensibleArray:
        return Array(ExtensibleArray(file_, layout_.address, filtered_), UnlimitedDimension());
      case ChunkIndex::kRecords:
        return Records();
    }
  }

 private:
  static constexpr std::size_t kNoDimension = ~std::size_t{0};

  // A tree whose keys are the size, the skipped filters, and the place of the first value.
  void Tree() {
    const std::size_t rank = layout_.chunk.size();
    Place place(rank);
    WalkTree(file_, layout_.address, kChunkTree, 8 + 8 * (rank + 1), [&](Bytes key, Address address) {
      Cursor cursor(key);
      const std::uint64_t size = cursor.Take(4);
      const auto skipped = static_cast<std::uint32_t>(cursor.Take(4));
      for (std::size_t i = 0; i < rank; ++i) {
        const std::uint64_t first = cursor.Take(8);
        place[i] = first / layout_.chunk[i];
        if (first % layout_.chunk[i] != 0)
          Fail("has a chunk that begins at ", first, ", expected a multiple of ", layout_.chunk[i]);
      }
      visit_({place, address, size, skipped});
    });
  }

  void Single() {
    const Place place(layout_.chunk.size());
    if (filtered_)
      visit_({place, layout_.address, layout_.single_size, layout_.single_skipped});
    else
      visit_({place, layout_.address, size_, 0});
  }

  // One after the other.
  void Implicit() {
    if (filtered_) Fail("has chunks without an index that went through filters, which can't be");
    ForEachPlace(kNoDimension, [&](const Place& place, std::uint64_t number) {
      if (number > file_.size() / size_) Fail("has a chunk number ", number, " outside the file");
      visit_({place, layout_.address + number * size_, size_, 0});
    });
  }

  template <typename AnyArray>
  void Array(const AnyArray& array, std::size_t first_dimension) {
    ForEachPlace(first_dimension, [&](const Place& place, std::uint64_t number) {
      const Bytes element = array.Find(number);
      if (!element.empty()) VisitElement(place, element);
    });
  }

  // The address and, of filtered chunks, the size, in as many bytes as the element has, and the filters.
  void VisitElement(const Place& place, Bytes element) {
    Cursor cursor(element);
    const Address address = cursor.Take(8);
    if (address == kNowhere) return;
    const std::uint64_t size = filtered_ ? cursor.Take(cursor.rest().size() - 4) : size_;
    visit_({place, address, size, static_cast<std::uint32_t>(filtered_ ? cursor.Take(4) : 0)});
  }

  // A tree of version 2, of elements as an array has them, and the place.
  void Records() {
    const std::size_t rank = layout_.chunk.size();
    // The size takes as many bytes as that of a chunk twice as large or more, as the specification has it.
    const auto bits = static_cast<std::uint64_t>(std::bit_width(size_) - 1);
    const std::uint64_t element = filtered_ ? 8 + std::min<std::uint64_t>(8, 1 + (bits + 8) / 8) + 4 : 8;
    Place place(rank);
    WalkRecords(file_, layout_.address, filtered_ ? kFilteredChunks : kChunks, element + 8 * rank,
                [&](Bytes record) {
                  Cursor places(record.subspan(element));
                  for (std::uint64_t& p : place) p = places.Take(8);
                  VisitElement(place, record.first(element));
                });
  }

  std::size_t UnlimitedDimension() const {
    const auto unlimited = std::ranges::find(space_.most, kUnlimited);
    if (unlimited == space_.most.end()) Fail("has an index of chunks that grows, but a shape that doesn't");
    return static_cast<std::size_t>(unlimited - space_.most.begin());
  }

  // How far apart the numbers of chunks are that are next to each other in each dimension: the last one
  // changes fastest, `first` slowest. They count to where the dataset may grow to.
  [[nodiscard]] Place Strides(std::size_t first) const {
    Place strides(layout_.chunk.size());
    std::uint64_t stride = 1;
    for (std::size_t i = strides.size(); i-- > 0;) {
      if (i == first) continue;
      strides[i] = stride;
      stride *= PartsOf(space_.most[i], layout_.chunk[i]);
    }
    if (first != kNoDimension) strides[first] = stride;
    return strides;
  }

  template <typename Visit>
  void ForEachPlace(std::size_t first, const Visit& visit) {
    if (std::ranges::find(space_.shape, 0U) != space_.shape.end()) return;
    const Place strides = Strides(first);
    Place place(strides.size());
    for (;;) {
      file_.Step();
      std::uint64_t number = 0;
      for (std::size_t i = 0; i < place.size(); ++i) number += place[i] * strides[i];
      visit(place, number);
      if (!Advance(place)) return;
    }
  }

  // To the next place within the shape; false behind the last.
  [[nodiscard]] bool Advance(Place& place) const {
    for (std::size_t i = place.size(); i-- > 0;) {
      if (++place[i] < PartsOf(space_.shape[i], layout_.chunk[i])) return true;
      place[i] = 0;
    }
    return false;
  }

  const File& file_;
  const Layout& layout_;
  const Dataspace& space_;
  std::uint64_t size_;
  bool filtered_;
  const ChunkVisitor& visit_;
};

}  // namespace

void VisitChunks(const File& file, const Layout& layout, const Dataspace& space, std::uint64_t size,
                 bool filtered, const ChunkVisitor& visit) {
  ChunkWalk(file, layout, space, size, filtered, visit).Walk();
}

}  // namespace mobilenet::hdf5
