// Every target's convolutions beside the plain one: windows that are read where they lie, that pair, that are
// rounded, and that are gathered.
#include <bit>

#include "base/bfloat16.h"
#include "gmock/gmock.h"
#include "kernels/kernels.h"
#include "kernels/reference/reference.h"
#include "kernels/target_test.h"
#include "random.h"
#include "runtime/step.h"

namespace mobilenet {
namespace {

class ConvolutionTest : public TargetTest {};

// V1 0.25's first layer, cut into parts that begin within rows, as many threads cut it.
TEST_P(ConvolutionTest, OfTwoPixelsAtOnce) {
  if (kernels_.product_of_two == nullptr) GTEST_SKIP() << "only where a register holds sixteen values";
  const int channels = static_cast<int>(kernels_.lanes / 2);
  for (const int size : {9, 12, 35, 56, 57}) {
    for (const int padding : {0, 1}) {
      const int output = (size + 1) / 2;
      const Window w = {size, size, 3, output, output, channels, 3, 2, padding, padding};
      SCOPED_TRACE(testing::Message() << size << " x " << size << ", padding " << padding);
      auto input = RandomValues(static_cast<std::size_t>(size) * size * 3, 1);
      const auto weight = RandomValues(static_cast<std::size_t>(27) * channels, 2);
      const auto bias = RandomValues(static_cast<std::size_t>(channels), 3);
      const auto pixels = static_cast<std::size_t>(output) * output;
      std::vector<float> expected(pixels * channels);
      reference::Convolution(w, input.data(), weight.data(), bias.data(), kZeroToSix, expected.data());
      Step step;
      step.window = w;
      step.pixels = pixels;
      step.end.range = kZeroToSix;
      SetWindowProduct(Precision::kFloat32, kernels_, weight, bias, nullptr, step);
      EXPECT_EQ(std::get<WindowRows>(step.rows).two_pixels, output % 2 == 0);
      const MapView map = {input.data(), 3 * sizeof(float), size, size};
      for (const std::size_t block : {static_cast<std::size_t>(output), std::size_t{14}, std::size_t{4}}) {
        std::vector<float> actual(expected.size(), kGuard);
        const MapView to = {actual.data(), channels * sizeof(float), output, output};
        const Split split = {block, (pixels + block - 1) / block, 1};
        std::vector<std::byte> scratch(ScratchSize(step, block));
        for (int task = 0; task < split.tasks(); ++task) {
          const Part part = PartOf(step, split, task);
          RunPart(step, kernels_, part, {map, map, to}, scratch.data());
        }
        ExpectNear(expected, actual, 1e-5);
      }
    }
  }
}

// Other padding above than to the left, and maps that are not square: the two must not be mistaken for each
// other.
TEST_P(ConvolutionTest, WithUnevenPadding) {
  for (const bool windows : {true, false}) {
    for (const auto& [top, left] : {std::pair(0, 1), std::pair(1, 0), std::pair(2, 1), std::pair(0, 2)}) {
      for (const int stride : {1, 2}) {
        constexpr int kChannels = 5;
        const Window w = {
            9,      14,  3,   (9 + top - 3) / stride + 1, (14 + left - 3) / stride + 1, kChannels, 3,
            stride, top, left};
        SCOPED_TRACE(testing::Message() << "padding " << top << " and " << left << ", stride " << stride);
        auto input = RandomValues(9 * 14 * 3, 1);
        const auto weight = RandomValues(27 * kChannels, 2);
        const auto bias = RandomValues(kChannels, 3);
        const auto pixels = static_cast<std::size_t>(w.output_height) * w.output_width;
        std::vector<float> expected(pixels * kChannels);
        reference::Convolution(w, input.data(), weight.data(), bias.data(), kAll, expected.data());
        Step step;
        step.window = w;
        step.pixels = pixels;
        step.end.range = kAll;
        if (windows) {
          SetWindowProduct(Precision::kFloat32, kernels_, weight, bias, nullptr, step);
        } else {
          step.rows = PatchRows();
          step.product = MakeProduct(Precision::kFloat32, kernels_, weight, bias, kAll, nullptr);
        }
        std::vector<float> actual(expected.size(), kGuard);
        std::vector<std::byte> scratch(ScratchSize(step, pixels));
        const MapView from = {input.data(), 3 * sizeof(float), 14, 9};
        const MapView to = {actual.data(), kChannels * sizeof(float), w.output_width, w.output_height};
        RunPart(step, kernels_, {0, pixels, 0, step.panels()}, {from, from, to}, scratch.data());
        ExpectNear(expected, actual, 1e-5);
      }
    }
  }
}

// A convolution of many channels in bfloat16: that of rounded values and weights, whatever the padding, the
// stride and where parts begin. A bfloat16 dot product may flush and round otherwise, so that sums are near.
TEST_P(ConvolutionTest, OfBfloat16Windows) {
  for (const int channels : {6, 8, 18}) {
    for (const int stride : {1, 2}) {
      for (const int padding : {0, 1}) {
        constexpr int kColumns = 21;
        const int height = (7 + 2 * padding - 3) / stride + 1;
        const int width = (31 + 2 * padding - 3) / stride + 1;
        const Window w = {7, 31, channels, height, width, kColumns, 3, stride, padding, padding};
        SCOPED_TRACE(testing::Message()
                     << channels << " channels, stride " << stride << ", padding " << padding);
        auto input = RandomValues(std::size_t{7} * 31 * channels, 1);
        auto weight = RandomValues(std::size_t{9} * channels * kColumns, 2);
        const auto bias = RandomValues(kColumns, 3);
        const auto pixels = static_cast<std::size_t>(height) * width;
        Step step;
        step.window = w;
        step.pixels = pixels;
        step.end.range = kAll;
        SetWindowProduct(Precision::kBfloat16, kernels_, weight, bias, nullptr, step);
        ASSERT_EQ(step.product->format, Format::kBfloat16);
        const MapView map = {input.data(), channels * sizeof(float), 31, 7};
        std::vector<float> actual(pixels * kColumns, kGuard);
        const MapView to = {actual.data(), kColumns * sizeof(float), width, height};
        const Split split = {11, (pixels + 10) / 11, 1};
        std::vector<std::byte> scratch(ScratchSize(step, 11));
        for (int task = 0; task < split.tasks(); ++task)
          RunPart(step, kernels_, PartOf(step, split, task), {map, map, to}, scratch.data());
        const auto round = [](std::vector<float>& values) {
          for (float& value : values) value = std::bit_cast<float>(std::uint32_t{RoundToBf16(value)} << 16);
        };
        if (kernels_.bf16_rows) round(input);
        round(weight);
        std::vector<float> expected(actual.size());
        reference::Convolution(w, input.data(), weight.data(), bias.data(), kAll, expected.data());
        ExpectNear(expected, actual, 1e-4);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, ConvolutionTest, testing::ValuesIn(TargetNames()),
                         [](const auto& target) { return target.param; });

}  // namespace
}  // namespace mobilenet
