// Gradients of weight matrices beside plain sums, for every instruction set and in both arithmetics.
#include <cmath>

#include "gmock/gmock.h"
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
