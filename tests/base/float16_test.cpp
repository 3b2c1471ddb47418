#include "base/float16.h"

#include <cmath>

#include "gmock/gmock.h"

namespace mobilenet {
namespace {

// All finite numbers of half precision.
TEST(Float16, RoundsEveryNumberToItself) {
  for (std::uint32_t bits = 0; bits < 0x7C00; ++bits) {
    for (const std::uint32_t sign : {0U, 0x8000U}) {
      const auto half = static_cast<std::uint16_t>(bits | sign);
      ASSERT_EQ(RoundToF16(FromF16(half)), half);
    }
  }
}

TEST(Float16, RoundsToTheNearestAndTiesToEven) {
  for (std::uint32_t bits = 0; bits + 1 < 0x7C00; ++bits) {
    const double low = FromF16(static_cast<std::uint16_t>(bits));
    const double high = FromF16(static_cast<std::uint16_t>(bits + 1));
    const auto middle = static_cast<float>((low + high) / 2);  // float32 holds it exactly
    ASSERT_EQ(RoundToF16(middle), bits + bits % 2);
    ASSERT_EQ(RoundToF16(std::nextafter(middle, 0.0F)), bits);
    ASSERT_EQ(RoundToF16(std::nextafter(middle, 1e9F)), bits + 1);
  }
}

TEST(Float16, KnowsItsNumbers) {
  EXPECT_EQ(RoundToF16(1), 0x3C00);
  EXPECT_EQ(RoundToF16(-2), 0xC000);
  EXPECT_EQ(RoundToF16(0x1p-24F), 1);
  EXPECT_EQ(RoundToF16(0x1p-25F), 0);  // half way: to even
  EXPECT_EQ(RoundToF16(65504), 0x7BFF);
  EXPECT_EQ(RoundToF16(1e30F), 0x7BFF);  // the largest
  EXPECT_EQ(RoundToF16(-INFINITY), 0xFBFF);
  EXPECT_EQ(FromF16(0x3555), 0.333251953125F);
  EXPECT_EQ(FromF16(0x7C00), INFINITY);
  EXPECT_TRUE(std::isnan(FromF16(0x7C01)));
}

}  // namespace
}  // namespace mobilenet
