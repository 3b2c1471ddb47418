#include "formats/hdf5_trees.h"

#include <limits>
#include <string_view>
#include <vector>

#include "base/fail.h"

namespace mobilenet::hdf5 {
namespace {

constexpr std::string_view kTree = "a tree";

class TreeWalk {
 public:
  TreeWalk(const File& file, unsigned type, std::uint64_t key_size, const KeyVisitor& visit)
      : file_(file), type_(type), key_size_(key_size), visit_(visit) {}

  void Node(Address node, std::uint64_t level) {
    constexpr std::uint64_t kHeader = 24;
    Cursor header(file_.At(node, kHeader, kTree));
    header.Skip(6);
    Cursor cursor(file_.At(node + kHeader, header.Take(2) * (key_size_ + 8), kTree));
    while (!cursor.rest().empty()) {
      const Bytes key = cursor.TakeBytes(key_size_);
      const Address child = cursor.Take(8);
      file_.Step();
      if (level == 0) {
        visit_(key, child);
      } else {
        if (LevelOf(child) != level - 1) Fail("a tree at ", node, " has no end");
        Node(child, level - 1);
      }
    }
  }

  [[nodiscard]] std::uint64_t LevelOf(Address node) const {
    Cursor header(file_.At(node, 6, kTree));
    if (!BeginsWith(header.TakeBytes(4), "TREE")) Fail("a tree at ", node, " is damaged");
    if (const std::uint64_t type = header.Take(1); type != type_)
      Fail("a tree at ", node, " is of type ", type, ", expected ", type_);
    return header.Take(1);
  }

 private:
  const File& file_;
  unsigned type_;
  std::uint64_t key_size_;
  const KeyVisitor& visit_;
};

std::uint64_t Saturated(std::uint64_t a, std::uint64_t b, std::uint64_t plus) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  return a != 0 && b > (kMost - plus) / a ? kMost : a * b + plus;
}

class RecordWalk {
 public:
  RecordWalk(const File& file, Address address, unsigned type, std::uint64_t record_size,
             const RecordVisitor& visit)
      : file_(file), type_(type), record_size_(record_size), visit_(visit) {
    constexpr std::uint64_t kSize = 38;
    Cursor header = file.Block(address, kSize, "BTHD", kTree);
    CheckType(header, address);
    node_size_ = header.Take(4);
    if (const std::uint64_t size = header.Take(2); size != record_size)
      Fail("a tree at ", address, " has records of ", size, " bytes, expected ", record_size);
    depth_ = static_cast<unsigned>(header.Take(2));
    header.Skip(2);
    root_ = header.Take(8);
    root_records_ = header.Take(2);
    MeasureLevels(address);
  }

  void Walk() {
    if (root_ != kNowhere) Node(root_, depth_, root_records_);
  }

 private:
  // What nodes of a depth hold; 0 are the leaves.
  struct Level {
    std::uint64_t records;    // at most
    std::uint64_t total;      // at most, with all below
    std::size_t total_width;  // bytes of that number, which nodes above say of each child
  };
  static constexpr std::uint64_t kAround = 10;  // bytes of a node besides records and children

  void MeasureLevels(Address address) {
    constexpr unsigned kMaxDepth = 16;
    if (depth_ > kMaxDepth || node_size_ < kAround + record_size_ || node_size_ > file_.size())
      Fail("a tree at ", address, " of depth ", depth_, " with nodes of ", node_size_, " bytes is damaged");
    const std::uint64_t leaf = (node_size_ - kAround) / record_size_;
    count_width_ = WidthOf(leaf);
    levels_.push_back({leaf, leaf, 0});
    while (levels_.size() <= depth_) {
      const std::uint64_t child = ChildSize(levels_.back());
      if (node_size_ < kAround + child) Fail("a tree at ", address, " has nodes that are too small");
      const std::uint64_t records = (node_size_ - kAround - child) / (record_size_ + child);
      const std::uint64_t total = Saturated(records + 1, levels_.back().total, records);
      levels_.push_back({records, total, WidthOf(total)});
    }
  }

  [[nodiscard]] std::uint64_t ChildSize(const Level& below) const {
    return 8 + count_width_ + below.total_width;
  }

  void CheckType(Cursor& cursor, Address address) const {
    if (const std::uint64_t type = cursor.Take(1); type != type_)
      Fail("a tree at ", address, " is of type ", type, ", expected ", type_);
  }

  void Node(Address address, unsigned depth, std::uint64_t records) {
    file_.Step();
    if (records > levels_[depth].records)
      Fail("a tree's node at ", address, " has ", records, " records, expected at most ",
           levels_[depth].records);
    if (depth == 0) return Leaf(address, records);
    const std::uint64_t child_size = ChildSize(levels_[depth - 1]);
    const std::uint64_t size = kAround + records * record_size_ + (records + 1) * child_size;
    Cursor node = file_.Block(address, size, "BTIN", kTree);
    CheckType(node, address);
    Cursor record(node.TakeBytes(records * record_size_));
    for (std::uint64_t i = 0; i <= records; ++i) {
      const Address child = node.Take(8);
      const std::uint64_t count = node.Take(count_width_);
      node.Skip(levels_[depth - 1].total_width);
      Node(child, depth - 1, count);
      if (i < records) Visit(record);
    }
  }

  void Leaf(Address address, std::uint64_t records) {
    Cursor leaf = file_.Block(address, kAround + records * record_size_, "BTLF", kTree);
    CheckType(leaf, address);
    for (std::uint64_t i = 0; i < records; ++i) Visit(leaf);
  }

  void Visit(Cursor& records) {
    file_.Step();
    visit_(records.TakeBytes(record_size_));
  }

  const File& file_;
  unsigned type_;
  std::uint64_t record_size_;
  const RecordVisitor& visit_;
  std::uint64_t node_size_ = 0;
  unsigned depth_ = 0;
  Address root_ = kNowhere;
  std::uint64_t root_records_ = 0;
  std::size_t count_width_ = 0;
  std::vector<Level> levels_;
};

}  // namespace

void WalkTree(const File& file, Address root, unsigned type, std::uint64_t key_size,
              const KeyVisitor& visit) {
  TreeWalk walk(file, type, key_size, visit);
  walk.Node(root, walk.LevelOf(root));
}

void WalkRecords(const File& file, Address header, unsigned type, std::uint64_t record_size,
                 const RecordVisitor& visit) {
  RecordWalk(file, header, type, record_size, visit).Walk();
}

}  // namespace mobilenet::hdf5
