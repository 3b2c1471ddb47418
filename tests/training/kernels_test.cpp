// Training's kernels beside plain loops, for every instruction set, over odd sizes, in float32 and in
// bfloat16.
#include <algorithm>
#include <bit>
#include <cmath>

#include "base/bfloat16.h"
#include "gmock/gmock.h"
#include "kernels/cpu.h"
#include "kernels/training_kernels.h"
#include "random.h"

namespace mobilenet {
namespace {

void CheckOuter(const Kernels& kernels, std::size_t rows, std::size_t inner, std::size_t columns) {
  const TrainingKernels& training = TrainingKernelsFor(kernels);
  const bool pairs = kernels.bf16_rows;
  SCOPED_TRACE(testing::Message() << rows << " x " << inner << " x " << columns);
  const std::size_t a_pitch = (inner + 7) / 8 * 8;
  auto a = RandomValues(rows * a_pitch, 1);
  auto b = RandomValues(rows * columns, 2);
  if (pairs) {
    a = RoundedToBf16(std::move(a));
    b = RoundedToBf16(std::move(b));
  }
  std::vector<float> expected = RandomValues(inner * columns, 3);
  std::vector<float> c = expected;
  for (std::size_t i = 0; i < inner; ++i) {
    for (std::size_t j = 0; j < columns; ++j) {
      double sum = expected[i * columns + j];
      for (std::size_t r = 0; r < rows; ++r) sum += double{a[r * a_pitch + i]} * b[r * columns + j];
      expected[i * columns + j] = static_cast<float>(sum);
    }
  }
  OuterTask task = {.a = a.data(),
                    .a_pitch = a_pitch,
                    .inner = inner,
                    .b = b.data(),
                    .b_pitch = columns,
                    .columns = columns,
                    .rows = rows,
                    .c = c.data(),
                    .c_pitch = columns};
  std::vector<float> a_pairs(PairsOf(rows) * a_pitch);
  std::vector<float> b_pairs(PairsOf(rows) * columns);
  if (pairs) {
    training.interleave(a.data(), a_pitch, rows, a_pitch, a_pairs.data(), a_pitch);
    training.interleave(b.data(), columns, rows, columns, b_pairs.data(), columns);
    task.a = a_pairs.data();
    task.b = b_pairs.data();
    task.rows = PairsOf(rows);
    training.outer_pairs(task);
  } else {
    training.outer(task);
  }
  for (std::size_t i = 0; i < c.size(); ++i)
    ASSERT_NEAR(c[i], expected[i], 1e-5 * std::max(1.0F, std::abs(expected[i]))) << "at " << i;
}

// Rows of random values as a map holds them, in float32 or bfloat16, and as float32.
class TestRows {
 public:
  TestRows(std::size_t rows, std::size_t columns, bool bf16, int seed) : pitch_(columns + 8), bf16_(bf16) {
    values_ = RandomValues(rows * pitch_, seed);
    for (float& value : values_) value *= 4;
    if (bf16) values_ = RoundedToBf16(std::move(values_));
    for (const float value : values_) halves_.push_back(RoundToBf16(value));
    floats_ = values_;
  }
  MapRows Rows() {
    return {bf16_ ? static_cast<void*>(halves_.data()) : static_cast<void*>(floats_.data()), pitch_, bf16_};
  }
  // What the map holds now.
  [[nodiscard]] float At(std::size_t row, std::size_t column) const {
    const std::size_t i = row * pitch_ + column;
    return bf16_ ? FromBf16(halves_[i]) : floats_[i];
  }
  [[nodiscard]] float Before(std::size_t row, std::size_t column) const {
    return values_[row * pitch_ + column];
  }

 private:
  std::size_t pitch_;
  bool bf16_;
  std::vector<float> values_;
  std::vector<float> floats_;
  std::vector<std::uint16_t> halves_;
};

void CheckRows(const TrainingKernels& kernels, std::size_t rows, std::size_t columns, bool bf16) {
  SCOPED_TRACE(testing::Message() << rows << " x " << columns << (bf16 ? " of bfloat16" : " of float32"));
  TestRows input(rows, columns, bf16, 1);
  TestRows gradient(rows, columns, bf16, 2);
  const auto a = RandomValues(columns, 3);
  const auto b = RandomValues(columns, 4);
  const auto k = RandomValues(columns, 5);
  const Affine affine = {a.data(), b.data(), {0, 1.5F}};
  std::vector<float> activated(rows * columns);
  std::vector<float> combined(rows * columns);
  std::vector<std::vector<float>> sums(4, std::vector<float>(columns, 1.0F));
  kernels.apply(input.Rows(), rows, columns, affine, activated.data(), columns);
  kernels.moments(input.Rows(), rows, columns, k.data(), sums[0].data(), sums[1].data());
  kernels.combine(gradient.Rows(), input.Rows(), rows, columns, a.data(), b.data(), k.data(), combined.data(),
                  columns);
  kernels.mask(gradient.Rows(), input.Rows(), rows, columns, affine, k.data(), sums[2].data(),
               sums[3].data());
  for (std::size_t c = 0; c < columns; ++c) {
    double expected[4] = {1, 1, 1, 1};
    for (std::size_t r = 0; r < rows; ++r) {
      const double y = input.Before(r, c);
      const double g = gradient.Before(r, c);
      const double z = a[c] * y + b[c];
      const double kept = z > 0 && z < 1.5 ? g : 0;
      ASSERT_NEAR(activated[r * columns + c], std::clamp(z, 0.0, 1.5), 1e-5);
      ASSERT_NEAR(combined[r * columns + c], a[c] * g + b[c] * y + k[c], 1e-5);
      ASSERT_EQ(gradient.At(r, c), static_cast<float>(kept));
      expected[0] += y - k[c];
      expected[1] += (y - k[c]) * (y - k[c]);
      expected[2] += kept;
      expected[3] += kept * (y - k[c]);
    }
    for (int i = 0; i < 4; ++i)
      ASSERT_NEAR(sums[i][c], expected[i], 1e-4 * std::max(1.0, std::abs(expected[i])));
  }
}

TEST(TrainingKernelsTest, RowsInBothTypes) {
  for (const Kernels* kernels : AvailableKernels()) {
    SCOPED_TRACE(kernels->name);
    for (const std::size_t rows : {1, 3, 4, 5, 9}) {
      for (const std::size_t columns : {8, 16, 24, 40}) {
        CheckRows(TrainingKernelsFor(*kernels), rows, columns, false);
        if (!kernels->name.starts_with("avx512") || HasBf16Dot())
          CheckRows(TrainingKernelsFor(*kernels), rows, columns, true);
      }
    }
  }
}

// An odd number of rows ends in pairs with a zero.
TEST(TrainingKernelsTest, PairsOfRowsAreInterleaved) {
  constexpr std::size_t kRows = 5;
  constexpr std::size_t kColumns = 24;
  const auto input = RandomValues(kRows * kColumns, 1);
  for (const Kernels* kernels : AvailableKernels()) {
    SCOPED_TRACE(kernels->name);
    if (kernels->name.starts_with("avx512") && !HasBf16Dot()) continue;
    std::vector<float> output(3 * kColumns);
    TrainingKernelsFor(*kernels).interleave(input.data(), kColumns, kRows, kColumns, output.data(), kColumns);
    for (std::size_t i = 0; i < output.size(); ++i) {
      const std::size_t at = i / kColumns * 2 * kColumns + i % kColumns;
      const std::uint32_t second = at + kColumns < input.size() ? RoundToBf16(input[at + kColumns]) : 0U;
      ASSERT_EQ(std::bit_cast<std::uint32_t>(output[i]), RoundToBf16(input[at]) | second << 16) << i;
    }
  }
}

TEST(TrainingKernelsTest, OuterProductsOverOddSizes) {
  for (const Kernels* kernels : AvailableKernels()) {
    SCOPED_TRACE(kernels->name);
    for (const std::size_t rows : {1, 2, 3, 8, 31}) {
      for (const std::size_t inner : {1, 2, 9, 13, 14, 15, 40}) {
        for (const std::size_t columns : {8, 16, 24, 40, 72}) CheckOuter(*kernels, rows, inner, columns);
      }
    }
  }
}

}  // namespace
}  // namespace mobilenet
