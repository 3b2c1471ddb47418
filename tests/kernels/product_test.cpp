// Every target's matrix products, the rounding of what goes into them and the packing of weights. Buffers
// have exactly the length that the contract names, so that AddressSanitizer sees any access beyond them.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "base/bfloat16.h"
#include "base/float16.h"
#include "gmock/gmock.h"
#include "kernels/kernels.h"
#include "kernels/reference/reference.h"
#include "kernels/target_test.h"
#include "random.h"

namespace mobilenet {
namespace {

std::vector<std::string> F16TargetNames() {
  std::vector<std::string> names;
  for (const Kernels* kernels : AvailableKernels()) {
    if (kernels->product_f16 != nullptr) names.emplace_back(kernels->name);
  }
  return names;
}

// C = A B + bias for all of `b`, rows of A and C as many floats apart as said.
ProductTask TaskFor(const std::vector<float>& a, std::size_t a_stride, std::size_t rows,
                    const PackedMatrix& b, std::vector<float>& c, std::size_t c_stride) {
  return {.a = a.data(),
          .a_stride = a_stride * sizeof(float),
          .rows = rows,
          .c = c.data(),
          .c_stride = c_stride * sizeof(float),
          .b = &b,
          .first_panel = 0,
          .last_panel = b.panels.size(),
          .range = kAll};
}

class ProductTest : public TargetTest {
 protected:
  // All panels at once, or each in a call of its own.
  static void RunProduct(void (*product)(const ProductTask&), ProductTask task, bool apart) {
    if (!apart) return product(task);
    for (std::size_t p = 0; p < task.b->panels.size(); ++p) {
      task.first_panel = p;
      task.last_panel = p + 1;
      product(task);
    }
  }

  // A residual is added to what the product is without it, before that is clamped. Its rows lie apart, with
  // nothing behind the last.
  static void CheckResidual(void (*product)(const ProductTask&), ProductTask task, bool apart) {
    const std::size_t columns = task.b->columns;
    std::vector<float> plain(task.rows * columns);
    std::vector<float> sum(plain.size(), kGuard);
    const Range range = std::exchange(task.range, kAll);
    task.c = plain.data();
    task.c_stride = columns * sizeof(float);
    RunProduct(product, task, apart);
    const std::size_t stride = columns + 3;
    const auto residual = RandomValues((task.rows - 1) * stride + columns, 4);
    task.c = sum.data();
    task.range = range;
    task.residual = residual.data();
    task.residual_stride = stride * sizeof(float);
    RunProduct(product, task, apart);
    for (std::size_t i = 0; i < sum.size(); ++i) {
      const float expected = plain[i] + residual[i / columns * stride + i % columns];
      const double most = range.curve == Curve::kStraight ? 0 : 1e-6 * (1 + std::abs(expected));
      ASSERT_NEAR(sum[i], reference::Activated(expected, range), most) << "with a residual, at " << i;
    }
  }

  // The product of random matrices, all panels at once or one after the other.
  void CheckProduct(std::size_t rows, std::size_t k, std::size_t columns, std::size_t stride, Range range) {
    SCOPED_TRACE(testing::Message() << rows << " x " << k << " x " << columns << ", rows " << stride
                                    << " apart");
    const auto b = RandomValues(k * columns, 1);
    const auto bias = RandomValues(columns, 2);
    std::vector<float> a((rows - 1) * stride + k);
    const auto values = RandomValues(rows * k, 3);
    for (std::size_t r = 0; r < rows; ++r) std::copy_n(&values[r * k], k, &a[r * stride]);
    std::vector<float> expected(rows * columns);
    reference::Product(rows, k, columns, values.data(), b.data(), bias.data(), range, expected.data());

    const PackedMatrix packed = Pack(b.data(), bias.data(), k, columns, kernels_.lanes);
    for (const bool apart : {false, true}) {
      std::vector<float> c(rows * columns, kGuard);
      ProductTask task = TaskFor(a, stride, rows, packed, c, columns);
      task.range = range;
      RunProduct(kernels_.product, task, apart);
      ExpectNear(expected, c, 1e-5);
      CheckResidual(kernels_.product, task, apart);
    }
  }

  // The same in half precision, of values that it can hold. The plain kernel's sums are rounded alike, but
  // twice, so that one in a thousand has another last bit.
  void CheckProductF16(std::size_t rows, std::size_t k, std::size_t columns, Range range) {
    SCOPED_TRACE(testing::Message() << rows << " x " << k << " x " << columns);
    const auto a = RoundedToF16(RandomValues(rows * k, 3));
    const auto b = RoundedToF16(RandomValues(k * columns, 1));
    const auto bias = RandomValues(columns, 2);
    std::vector<float> expected(rows * columns);
    reference::ProductF16(rows, k, columns, a.data(), b.data(), bias.data(), range, expected.data());

    const PackedMatrix packed = PackF16(b.data(), bias.data(), k, columns, kernels_.lanes);
    const std::size_t pairs = PairsOf(k);
    ASSERT_EQ(packed.k, pairs);
    std::vector<float> in(rows * pairs, 0.0F);
    for (std::size_t r = 0; r < rows; ++r) kernels_.round_to_f16(&a[r * k], k, &in[r * pairs]);
    const std::size_t stride = columns + 3;
    for (const bool apart : {false, true}) {
      std::vector<float> c(rows * stride, kGuard);
      ProductTask task = TaskFor(in, pairs, rows, packed, c, stride);
      task.range = range;
      RunProduct(kernels_.product_f16, task, apart);
      // A few last bits of sums below 4 or, in long runs, below 16.
      const double tolerance = k < 64 ? 0.01 : 0.03;
      for (std::size_t r = 0; r < rows; ++r) {
        const float* row = &c[r * stride];
        ExpectNear({&expected[r * columns], &expected[(r + 1) * columns]}, {row, row + columns}, tolerance);
        for (std::size_t i = columns; i < stride; ++i) ASSERT_EQ(row[i], kGuard);
      }
      CheckResidual(kernels_.product_f16, task, apart);
    }
  }

  // The same with weights, and rows where the kernels take such, of bfloat16. With both rounded beforehand,
  // the products of the plain kernel are exact.
  void CheckProductBf16(std::size_t rows, std::size_t k, std::size_t columns, Range range) {
    SCOPED_TRACE(testing::Message() << rows << " x " << k << " x " << columns);
    const auto b = RoundedToBf16(RandomValues(k * columns, 1));
    const auto bias = RandomValues(columns, 2);
    auto a = RandomValues(rows * k, 3);
    if (kernels_.bf16_rows) a = RoundedToBf16(std::move(a));
    std::vector<float> expected(rows * columns);
    reference::Product(rows, k, columns, a.data(), b.data(), bias.data(), range, expected.data());

    const PackedMatrix packed = PackBf16(b.data(), bias.data(), k, columns, kernels_.lanes);
    const std::size_t pairs = PairsOf(k);
    EXPECT_EQ(packed.k, pairs);
    std::vector<float> in(rows * pairs * (kernels_.bf16_rows ? 1 : 2), 0.0F);
    for (std::size_t r = 0; r < rows; ++r) {
      float* row = &in[r * in.size() / rows];
      if (kernels_.bf16_rows) {
        kernels_.round_to_bf16(&a[r * k], k, row);
      } else {
        std::copy_n(&a[r * k], k, row);
      }
    }
    std::vector<float> c(rows * columns, kGuard);
    ProductTask task = TaskFor(in, in.size() / rows, rows, packed, c, columns);
    task.range = range;
    kernels_.product_bf16(task);
    ExpectNear(expected, c, 1e-5);
    for (const bool apart : {false, true}) CheckResidual(kernels_.product_bf16, task, apart);
  }

  // A convolution's windows, read in place as segments.
  void CheckSegments(std::size_t rows, std::size_t stride, std::size_t segment, std::size_t segments,
                     std::size_t columns) {
    SCOPED_TRACE(testing::Message() << rows << " rows " << stride << " apart, " << segments << " segments of "
                                    << segment);
    const std::size_t pitch = (rows - 1) * stride + segment;
    const std::size_t k = segment * segments;
    const auto a = RandomValues(pitch * segments, 1);
    const auto b = RandomValues(k * columns, 2);
    const auto bias = RandomValues(columns, 3);
    std::vector<float> gathered;
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t s = 0; s < segments; ++s) {
        const auto begin = a.begin() + static_cast<std::ptrdiff_t>(s * pitch + r * stride);
        gathered.insert(gathered.end(), begin, begin + static_cast<std::ptrdiff_t>(segment));
      }
    }
    std::vector<float> expected(rows * columns);
    reference::Product(rows, k, columns, gathered.data(), b.data(), bias.data(), kAll, expected.data());
    const PackedMatrix packed = Pack(b.data(), bias.data(), k, columns, kernels_.lanes);
    std::vector<float> c(rows * columns, kGuard);
    ProductTask task = TaskFor(a, stride, rows, packed, c, columns);
    task.segments = segments;
    task.segment_pitch = pitch * sizeof(float);
    kernels_.product(task);
    ExpectNear(expected, c, 1e-5);
  }
};

class F16ProductTest : public ProductTest {};

TEST_P(ProductTest, ProductOverOddSizes) {
  for (const std::size_t rows : {1, 2, 5, 6, 7, 12, 13, 14, 15, 29, 49}) {
    for (const std::size_t columns :
         {1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 47, 48, 63, 64, 65, 130}) {
      CheckProduct(rows, 1 + (rows * columns) % 37, columns, 40, kAll);
    }
  }
}

TEST_P(ProductTest, ProductOfOneRowAndManyPanels) {
  for (const std::size_t columns : {128, 250, 256, 300, 1000, 1001}) CheckProduct(1, 67, columns, 67, kAll);
}

TEST_P(ProductTest, AddsAResidualBesideThePlainKernel) {
  for (const std::size_t rows : {1, 6, 14, 31}) {
    for (const std::size_t columns : {1, 3, 7, 16, 24, 33, 96, 300}) {
      SCOPED_TRACE(testing::Message() << rows << " rows of " << columns);
      constexpr std::size_t kInner = 19;
      const auto a = RandomValues(rows * kInner, 1);
      const auto b = RandomValues(kInner * columns, 2);
      const auto bias = RandomValues(columns, 3);
      auto residual = RandomValues(rows * columns, 4);
      for (float& value : residual) value *= 4;
      std::vector<float> expected(rows * columns);
      reference::Product(rows, kInner, columns, a.data(), b.data(), bias.data(), kZeroToSix, expected.data(),
                         residual.data());
      const PackedMatrix packed = Pack(b.data(), bias.data(), kInner, columns, kernels_.lanes);
      std::vector<float> c(expected.size(), kGuard);
      ProductTask task = TaskFor(a, kInner, rows, packed, c, columns);
      task.range = kZeroToSix;
      task.residual = residual.data();
      task.residual_stride = columns * sizeof(float);
      kernels_.product(task);
      ExpectNear(expected, c, 1e-5);
    }
  }
}

TEST_P(ProductTest, NansOfAResidualStay) {
  for (const std::size_t columns : {3, 8, 16, 40, 256}) {
    for (const std::size_t rows : {1, 5}) {
      const std::vector<float> a(rows);
      const std::vector<float> b(columns);
      const PackedMatrix packed = Pack(b.data(), b.data(), 1, columns, kernels_.lanes);
      std::vector<float> residual(rows * columns, 1.0F);
      const std::size_t at = residual.size() - 2;
      residual[at] = std::numeric_limits<float>::quiet_NaN();
      std::vector<float> c(residual.size(), kGuard);
      ProductTask task = TaskFor(a, 1, rows, packed, c, columns);
      task.range = kZeroToSix;
      task.residual = residual.data();
      task.residual_stride = columns * sizeof(float);
      kernels_.product(task);
      for (std::size_t i = 0; i < c.size(); ++i) {
        if (i == at) {
          EXPECT_TRUE(std::isnan(c[i]));
        } else {
          EXPECT_EQ(c[i], 1) << "at " << i;
        }
      }
    }
  }
}

TEST_P(ProductTest, ProductClampsAndReadsNoFurtherThanK) {
  CheckProduct(14, 1, 32, 1, kZeroToSix);
  CheckProduct(13, 64, 40, 64, {0, 0.25F});
  CheckProduct(3, 512, 96, 512, kZeroToSix);
  for (const Range range : {kHardSigmoidRange, kHardSwishRange}) {
    for (const std::size_t rows : {1, 2, 13, 15, 29}) {
      for (const std::size_t columns : {1, 8, 33, 65, 256}) CheckProduct(rows, 24, columns, 24, range);
    }
  }
}

TEST_P(ProductTest, Bf16ProductOverOddSizes) {
  for (const std::size_t rows : {1, 2, 5, 7, 13, 14, 15, 29}) {
    for (const std::size_t columns : {1, 3, 4, 7, 8, 9, 16, 17, 24, 31, 32, 33, 48, 64, 65, 130, 256}) {
      CheckProductBf16(rows, 1 + (rows * columns) % 37, columns, kAll);
    }
  }
  CheckProductBf16(1, 128, 1000, kZeroToSix);
  CheckProductBf16(14, 512, 96, {0, 0.5F});
  for (const Range range : {kHardSigmoidRange, kHardSwishRange}) {
    for (const std::size_t rows : {1, 15}) CheckProductBf16(rows, 25, 256, range);
  }
}

TEST_P(F16ProductTest, ProductOverOddSizes) {
  for (const std::size_t rows : {1, 2, 5, 7, 13, 14, 15, 29}) {
    for (const std::size_t columns : {1, 3, 4, 7, 8, 9, 16, 17, 24, 31, 32, 33, 48, 64, 65, 130, 256}) {
      CheckProductF16(rows, 1 + (rows * columns) % 37, columns, kAll);
    }
  }
  CheckProductF16(1, 128, 1000, kZeroToSix);
  CheckProductF16(14, 512, 96, {0, 0.5F});
  for (const Range range : {kHardSigmoidRange, kHardSwishRange}) {
    for (const std::size_t k : {25, 600}) CheckProductF16(15, k, 65, range);
  }
  // About the ends of runs, whose sums wait in the output.
  for (const std::size_t k : {255, 256, 257, 258, 513, 700}) {
    for (const std::size_t columns : {1, 3, 7, 17, 33, 45, 63, 130}) {
      for (const std::size_t rows : {1, 15}) CheckProductF16(rows, k, columns, kAll);
    }
  }
}

// The sum is larger than half precision can count to one by one.
TEST_P(F16ProductTest, AddsUpRunsInFloat32) {
  constexpr std::size_t kInner = 64 * kF16Run;
  const std::vector<float> ones(kInner, 1.0F);
  const float bias = 0.25F;
  const PackedMatrix packed = PackF16(ones.data(), &bias, kInner, 1, kernels_.lanes);
  std::vector<float> in(PairsOf(kInner));
  kernels_.round_to_f16(ones.data(), kInner, in.data());
  std::vector<float> sum(1);
  kernels_.product_f16(TaskFor(in, in.size(), 1, packed, sum, 1));
  EXPECT_EQ(sum.front(), kInner + 0.25F);
}

TEST_P(F16ProductTest, RoundsToTheNearest) {
  const std::vector<float> values = {
      0,          -0.0F, 1,     1.00048828125F, 1.00146484375F, 6.1e-5F,  5.9e-8F, 2e-8F, -3e-6F,
      3.1415927F, 65504, 65520, -1e9F,          0.1F,           -2.5e-3F, 1024.5F, 7};
  for (const std::size_t count : {values.size(), std::size_t{5}, std::size_t{1}}) {
    std::vector<float> repeated;
    for (int i = 0; i < 4; ++i)
      repeated.insert(repeated.end(), values.begin(), values.begin() + static_cast<long>(count));
    std::vector<std::uint16_t> rounded(repeated.size());
    kernels_.round_to_f16(repeated.data(), repeated.size(), rounded.data());
    for (std::size_t i = 0; i < repeated.size(); ++i)
      EXPECT_EQ(rounded[i], RoundToF16(repeated[i])) << repeated[i];
  }
}

TEST_P(ProductTest, RoundsToTheNearestAndTiesToEven) {
  if (!WritesBf16()) GTEST_SKIP() << "not for this processor";
  const std::vector<float> values = {0,        -0.0F,      1,        1.00390625F, 1.01171875F, 1.00390637F,
                                     -2.5e-3F, 3.1415927F, 1.2e-38F, 3.0e38F,     -7,          65535};
  for (const std::size_t count : {values.size(), std::size_t{5}, std::size_t{1}}) {
    std::vector<float> repeated;
    for (int i = 0; i < 4; ++i)
      repeated.insert(repeated.end(), values.begin(), values.begin() + static_cast<long>(count));
    std::vector<std::uint16_t> rounded(repeated.size());
    kernels_.round_to_bf16(repeated.data(), repeated.size(), rounded.data());
    for (std::size_t i = 0; i < repeated.size(); ++i)
      EXPECT_EQ(rounded[i], RoundToBf16(repeated[i])) << repeated[i];
  }
  EXPECT_EQ(RoundToBf16(1), 0x3F80);
  EXPECT_EQ(RoundToBf16(1.00390625F), 0x3F80);  // half way between 1 and the next: to even
  EXPECT_EQ(RoundToBf16(1.01171875F), 0x3F82);  // half way above an odd one: up
  EXPECT_EQ(RoundToBf16(1.00390637F), 0x3F81);
}

// Weights are packed anew in each step of training, also transposed.
TEST(Packing, Bf16PacksATransposedMatrixAlike) {
  for (const std::size_t k : {1, 2, 7, 8, 33}) {
    for (const std::size_t columns : {1, 5, 16, 40}) {
      SCOPED_TRACE(testing::Message() << k << " x " << columns);
      const auto matrix = RandomValues(k * columns, 1);
      std::vector<float> transposed(matrix.size());
      for (std::size_t i = 0; i < k; ++i) {
        for (std::size_t j = 0; j < columns; ++j) transposed[j * k + i] = matrix[i * columns + j];
      }
      const std::vector<float> bias(columns);
      const PackedMatrix expected = PackBf16(matrix.data(), bias.data(), k, columns, 16);
      PackedMatrix packed = EmptyPanels(PairsOf(k), columns, 16);
      RefillBf16(transposed.data(), k, 1, k, packed);
      ASSERT_EQ(packed.values.size(), expected.values.size());
      EXPECT_EQ(
          std::memcmp(packed.values.data(), expected.values.data(), sizeof(float) * packed.values.size()), 0);
    }
  }
}

TEST_P(ProductTest, TwoRowsAtOnce) {
  if (kernels_.product_of_two == nullptr) GTEST_SKIP() << "only where a register holds sixteen values";
  constexpr std::size_t kColumns = 8;
  for (const std::size_t n : {1, 2, 7, 8, 9, 15, 27}) {
    for (const std::size_t pairs : {1, 2, 13, 14, 15, 29, 56}) {
      SCOPED_TRACE(testing::Message() << pairs << " pairs of rows of " << n);
      const auto rows = RandomValues(2 * pairs * n, 1);
      const auto b = RandomValues(n * kColumns, 2);
      const auto bias = RandomValues(kColumns, 3);
      std::vector<float> expected(2 * pairs * kColumns);
      reference::Product(2 * pairs, n, kColumns, rows.data(), b.data(), bias.data(), kZeroToSix,
                         expected.data());

      std::vector<float> a(rows.size(), kGuard);
      for (std::size_t p = 0; p < pairs; ++p) {
        const float* first = &rows[2 * p * n];
        kernels_.alternate(first, first + n, n, &a[2 * p * n]);
        for (std::size_t i = 0; i < 2 * n; ++i) ASSERT_EQ(a[2 * p * n + i], first[i % 2 * n + i / 2]);
      }
      const auto twice = [](const std::vector<float>& values) {
        std::vector<float> out;
        for (const float value : values) out.insert(out.end(), 2, value);
        return out;
      };
      const PackedMatrix packed = Pack(twice(b).data(), twice(bias).data(), n, 2 * kColumns, kernels_.lanes);
      std::vector<float> c(expected.size(), kGuard);
      ProductTask task = TaskFor(a, 2 * n, pairs, packed, c, 2 * kColumns);
      task.range = kZeroToSix;
      kernels_.product_of_two(task);
      ExpectNear(expected, c, 1e-5);
    }
  }
}

TEST_P(ProductTest, WindowsInPlace) {
  for (const std::size_t columns : {4, 8, 32, 40}) {
    CheckSegments(112, 6, 9, 3, columns);
    CheckSegments(13, 3, 9, 3, columns);
    CheckSegments(1, 2, 5, 5, columns);
    CheckSegments(15, 1, 1, 2, columns);
  }
}

TEST(Packing, CoversEachColumnWithFullPanels) {
  for (const std::size_t lanes : {4, 8, 16}) {
    for (std::size_t columns = 1; columns < 100; ++columns) {
      const std::vector<float> matrix = RandomValues(3 * columns, 1);
      const std::vector<float> bias = RandomValues(columns, 2);
      const PackedMatrix packed = Pack(matrix.data(), bias.data(), 3, columns, lanes);
      std::vector<bool> covered(columns, false);
      for (const Panel& panel : packed.panels) {
        EXPECT_TRUE(panel.width == HalfLanes(lanes) || panel.width == lanes || panel.width == 2 * lanes);
        EXPECT_TRUE(panel.stored == panel.width || columns < lanes);
        for (std::size_t j = 0; j < panel.stored; ++j) {
          covered.at(panel.column + j) = true;
          EXPECT_EQ(packed.bias.at(panel.bias_offset + j), bias[panel.column + j]);
          for (std::size_t row = 0; row < 3; ++row) {
            EXPECT_EQ(packed.values.at(panel.offset + row * panel.width + j),
                      matrix[row * columns + panel.column + j]);
          }
        }
      }
      EXPECT_THAT(covered, testing::Each(true)) << columns;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, ProductTest, testing::ValuesIn(TargetNames()),
                         [](const auto& target) { return target.param; });

// Half precision: where the processor has its arithmetic, and in the asan build, which emulates it.
INSTANTIATE_TEST_SUITE_P(Targets, F16ProductTest, testing::ValuesIn(F16TargetNames()),
                         [](const auto& target) { return target.param; });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(F16ProductTest);

}  // namespace
}  // namespace mobilenet
