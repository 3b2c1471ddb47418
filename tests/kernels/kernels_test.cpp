// Every target's kernels but the products (product_test.cpp) and convolutions (convolution_test.cpp) beside
// the plain ones, over shapes that don't divide evenly. Buffers have exactly the length that the contract
// names, so that AddressSanitizer sees any access beyond them; outputs are followed by a guard.
#include "kernels/kernels.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/bfloat16.h"
#include "base/float16.h"
#include "gmock/gmock.h"
#include "kernels/patches.h"
#include "kernels/reference/reference.h"
#include "kernels/target_test.h"
#include "random.h"
#include "runtime/step.h"

namespace mobilenet {
namespace {

class KernelsTest : public TargetTest {
 protected:
  // A row without gaps is the same as one with gaps, whose pixels can't pair. Nothing behind it is touched.
  void CheckPairs(DepthwiseTask task) {
    const std::size_t channels = task.channels;
    const auto pixels = static_cast<std::size_t>(task.x_end - task.x_begin);
    std::vector<float> apart(pixels * (channels + 1));
    task.output = apart.data();
    task.output_pitch = (channels + 1) * sizeof(float);
    kernels_.depthwise(task);
    std::vector<float> paired((pixels + 2) * channels, kGuard);
    task.output = paired.data();
    task.output_pitch = channels * sizeof(float);
    kernels_.depthwise(task);
    for (std::size_t x = 0; x < pixels; ++x) {
      for (std::size_t c = 0; c < channels; ++c)
        ASSERT_NEAR(paired[x * channels + c], apart[x * (channels + 1) + c], 1e-5);
    }
    for (std::size_t i = pixels * channels; i < paired.size(); ++i) ASSERT_EQ(paired[i], kGuard);
  }

  // A rounded row, its pixels `pitch` floats apart, is the row written as float32, rounded.
  void CheckRounded(DepthwiseTask task, Format format, std::size_t pitch) {
    const auto channels = task.channels;
    const auto pixels = static_cast<std::size_t>(task.x_end - task.x_begin);
    std::vector<float> plain(pixels * channels);
    task.output = plain.data();
    task.output_pitch = channels * sizeof(float);
    task.output_format = Format::kFloat32;
    kernels_.depthwise(task);
    std::vector<float> pairs((pixels + 2) * pitch, kGuard);
    task.output = pairs.data();
    task.output_pitch = pitch * sizeof(float);
    task.output_format = format;
    kernels_.depthwise(task);
    for (std::size_t x = 0; x < pixels; ++x) {
      std::vector<std::uint16_t> row(channels);
      std::memcpy(row.data(), &pairs[x * pitch], channels * sizeof(row[0]));
      for (std::size_t c = 0; c < channels; ++c) {
        const float value = plain[x * channels + c];
        ASSERT_EQ(row[c], format == Format::kFloat16 ? RoundToF16(value) : RoundToBf16(value));
      }
      for (std::size_t i = (channels + 1) / 2; i < pitch; ++i) ASSERT_EQ(pairs[x * pitch + i], kGuard);
    }
    for (std::size_t i = pixels * pitch; i < pairs.size(); ++i) ASSERT_EQ(pairs[i], kGuard);
  }

  void CheckDepthwise(const Window& window, Range range) {
    const Window& w = window;
    SCOPED_TRACE(testing::Message() << w.input_height << " x " << w.input_width << " x " << w.input_channels
                                    << ", kernel " << w.kernel << ", stride " << w.stride.down << " x "
                                    << w.stride.across << ", padding " << w.padding_top << " "
                                    << w.padding_left);
    const auto channels = static_cast<std::size_t>(w.input_channels);
    auto input = RandomValues(static_cast<std::size_t>(w.input_height) * w.input_width * channels, 1);
    const MapView map = {input.data(), channels * sizeof(float), w.input_width, w.input_height};
    const auto weight = RandomValues(static_cast<std::size_t>(w.kernel) * w.kernel * channels, 2);
    const auto bias = RandomValues(channels, 3);
    const auto size = static_cast<std::size_t>(w.output_height) * w.output_width * channels;
    std::vector<float> expected(size);
    reference::Depthwise(w, input.data(), weight.data(), bias.data(), range, expected.data());

    Step step;
    step.window = w;
    step.pixels = static_cast<std::size_t>(w.output_height) * w.output_width;
    step.rows = DepthwiseRows{{weight.begin(), weight.end()}, {bias.begin(), bias.end()}, range};
    for (const std::size_t block : {step.pixels, std::size_t{5}}) {
      std::vector<float> output(size, kGuard);
      const MapView to = {output.data(), channels * sizeof(float), w.output_width, w.output_height};
      const Split split = {block, (step.pixels + block - 1) / block, 1};
      for (int task = 0; task < split.tasks(); ++task) {
        const Part part = PartOf(step, split, task);
        RunPart(step, kernels_, part, {map, map, to}, nullptr);
      }
      ExpectNear(expected, output, 1e-5);
    }
  }
};

TEST_P(KernelsTest, DepthwiseRowsOf16BitsAndWidePixels) {
  if (!WritesBf16() && !MultipliesF16()) GTEST_SKIP() << "not for this processor";
  for (const std::size_t channels : {1, 5, 8, 9, 16, 20, 33}) {
    for (const int stride : {1, 2}) {
      for (const int kernel : {3, 5}) {
        const std::size_t pitch = channels + 2;
        const auto input = RandomValues(static_cast<std::size_t>(kernel) * 11 * pitch, 1);
        const auto weight = RandomValues(static_cast<std::size_t>(kernel) * kernel * channels, 2);
        const auto bias = RandomValues(channels, 3);
        DepthwiseTask task{};
        for (task.rows = 0; task.rows < kernel; ++task.rows) {
          task.input[task.rows] = &input[static_cast<std::size_t>(task.rows) * 11 * pitch];
          task.weight[task.rows] = &weight[static_cast<std::size_t>(task.rows * kernel) * channels];
        }
        task.kernel = kernel;
        task.stride = stride;
        task.padding_left = 1;
        task.width = 11;
        task.channels = channels;
        task.input_pitch = pitch * sizeof(float);
        task.bias = bias.data();
        task.range = kZeroToSix;
        task.x_end = 9 / stride;
        // Nothing between pixels is touched.
        if (WritesBf16()) CheckRounded(task, Format::kBfloat16, (channels + 1) / 2 + 3);
        if (MultipliesF16()) CheckRounded(task, Format::kFloat16, (channels + 1) / 2 + 3);
      }
    }
  }
}

// Half a register of channels without gaps: two pixels fill one.
TEST_P(KernelsTest, DepthwiseOfPixelsThatPair) {
  const std::size_t channels = kernels_.lanes / 2;
  if (channels == 0) GTEST_SKIP() << "registers of one value";
  for (int width = 1; width < 20; ++width) {
    const auto input = RandomValues(static_cast<std::size_t>(3 * width) * channels, 1);
    const auto weight = RandomValues(9 * channels, 2);
    const auto bias = RandomValues(channels, 3);
    for (const int padding : {0, 1}) {
      for (int rows = 1; rows <= 3; ++rows) {
        DepthwiseTask task{};
        for (task.rows = 0; task.rows < rows; ++task.rows) {
          task.input[task.rows] = &input[static_cast<std::size_t>(task.rows * width) * channels];
          task.weight[task.rows] = &weight[static_cast<std::size_t>(task.rows) * 3 * channels];
        }
        task.kernel = 3;
        task.stride = 1;
        task.padding_left = padding;
        task.width = width;
        task.channels = channels;
        task.input_pitch = channels * sizeof(float);
        task.bias = bias.data();
        task.range = kZeroToSix;
        task.x_end = width + 2 * padding - 2;
        for (task.x_begin = 0; task.x_begin < std::min(3, task.x_end); ++task.x_begin) {
          SCOPED_TRACE(testing::Message() << width << " wide, " << rows << " rows, padding " << padding);
          CheckPairs(task);
          if (WritesBf16() && channels % 2 == 0) CheckRounded(task, Format::kBfloat16, channels / 2);
          if (MultipliesF16() && channels % 2 == 0) CheckRounded(task, Format::kFloat16, channels / 2);
        }
      }
    }
  }
}

TEST_P(KernelsTest, DepthwiseOverOddSizes) {
  for (const int channels : {1, 3, 4, 7, 8, 9, 15, 16, 17, 33}) {
    for (const int stride : {1, 2, 3}) {
      for (const int size : {1, 2, 3, 4, 5, 8, 13}) {
        for (const int padding : {0, 1, 2}) {
          for (const int kernel : {1, 3, 5}) {
            const int output = (size + 2 * padding - kernel) / stride + 1;
            if (size + 2 * padding < kernel || output < 1) continue;
            CheckDepthwise({size, size, channels, output, output, channels, kernel, stride, padding, padding},
                           kAll);
          }
        }
      }
    }
  }
}

// Tiles that hang over the left end of a row, lie inside, hang over the right one, and what no tile takes.
TEST_P(KernelsTest, DepthwiseOf5x5InTiles) {
  for (const int channels : {3, 8, 17, 32}) {
    for (const int width : {14, 15, 28, 31, 57, 64}) {
      for (const int stride : {1, 2}) {
        for (const int padding : {0, 1, 2, 4}) {
          const int across = (width + 2 * padding - 5) / stride + 1;
          const int down = (4 + 2 * 2 - 5) / stride + 1;
          CheckDepthwise({4, width, channels, down, across, channels, 5, stride, 2, padding}, kZeroToSix);
        }
      }
    }
  }
}

TEST_P(KernelsTest, DepthwiseWithUnevenPaddingAndMaps) {
  // TensorFlow's padding of an even size at stride 2: nothing above and to the left.
  CheckDepthwise({10, 14, 24, 5, 7, 24, 3, 2, 0, 0}, kZeroToSix);
  CheckDepthwise({7, 3, 16, 7, 3, 16, 3, 1, 1, 1}, kZeroToSix);
  CheckDepthwise({3, 9, 20, 3, 9, 20, 7, 1, 3, 3}, kZeroToSix);
  for (const Range range : {kHardSigmoidRange, kHardSwishRange}) {
    CheckDepthwise({10, 14, 24, 5, 7, 24, 3, 2, 0, 0}, range);
    CheckDepthwise({7, 8, 8, 7, 8, 8, 3, 1, 1, 1}, range);
    CheckDepthwise({7, 3, 17, 7, 3, 17, 3, 1, 1, 1}, range);
    CheckDepthwise({9, 9, 20, 5, 5, 20, 5, 2, 2, 2}, range);
  }
  // Other padding above than to the left.
  CheckDepthwise({9, 14, 17, 7, 13, 17, 3, 1, 0, 1}, kAll);
  for (const int channels : {5, 17, 32}) {  // two strides
    CheckDepthwise({9, 14, channels, 5, 14, channels, 3, {2, 1}, 1, 1}, kAll);
    CheckDepthwise({9, 14, channels, 9, 7, channels, 5, {1, 2}, 2, 2}, kAll);
  }
  CheckDepthwise({9, 14, 17, 8, 12, 17, 3, 1, 1, 0}, kAll);
  CheckDepthwise({9, 14, 8, 5, 6, 8, 3, 2, 2, 0}, kAll);
}

// Pixels of a map `gap` floats further apart than their channels, with nothing behind the last.
std::vector<float> WithGaps(const std::vector<float>& values, std::size_t channels, std::size_t gap) {
  std::vector<float> map(values.size() + (values.size() / channels - 1) * gap, kGuard);
  for (std::size_t i = 0; i < values.size(); ++i)
    map[i / channels * (channels + gap) + i % channels] = values[i];
  return map;
}

TEST_P(KernelsTest, AddOverOddSizes) {
  constexpr std::size_t kPixels = 5;
  for (const std::size_t channels : {1, 3, 4, 7, 8, 9, 15, 16, 17, 31, 33, 100}) {
    auto a = RandomValues(kPixels * channels, 1);
    auto b = RandomValues(kPixels * channels, 2);
    a[channels / 2] = std::numeric_limits<float>::quiet_NaN();
    b[4 * channels] = std::numeric_limits<float>::quiet_NaN();
    for (const Range range : {kAll, Range{-0.25F, 0.5F}, kHardSigmoidRange, kHardSwishRange}) {
      std::vector<float> expected(a.size());
      reference::Add(a.size(), a.data(), b.data(), range, expected.data());
      for (const std::size_t gap : {0, 3}) {
        SCOPED_TRACE(testing::Message() << channels << " channels, " << gap << " between pixels");
        const auto right = WithGaps(b, channels, gap + 1);
        for (const bool in_place : {false, true}) {
          auto left = WithGaps(a, channels, gap);
          std::vector<float> output = WithGaps(a, channels, gap);
          const std::size_t pitch = (channels + gap) * sizeof(float);
          kernels_.add({.a = left.data(),
                        .a_pitch = pitch,
                        .b = gap == 0 ? b.data() : right.data(),
                        .b_pitch = gap == 0 ? pitch : pitch + sizeof(float),
                        .pixels = kPixels,
                        .channels = channels,
                        .range = range,
                        .output = in_place ? left.data() : output.data(),
                        .output_pitch = pitch});
          const auto& sum = in_place ? left : output;
          const auto wanted = WithGaps(expected, channels, gap);
          for (std::size_t i = 0; i < wanted.size(); ++i)
            ASSERT_TRUE(std::abs(sum[i] - wanted[i]) <= (range.curve == Curve::kStraight ? 0 : 1e-6) ||
                        (std::isnan(sum[i]) && std::isnan(wanted[i])))
                << "at " << i;
        }
      }
    }
  }
}

TEST_P(KernelsTest, ScaleOverOddSizes) {
  constexpr std::size_t kPixels = 5;
  for (const std::size_t channels : {1, 3, 4, 7, 8, 9, 15, 16, 17, 31, 33, 100}) {
    auto map = RandomValues(kPixels * channels, 1);
    map[channels / 2] = std::numeric_limits<float>::quiet_NaN();
    const auto gate = RandomValues(channels, 2);
    std::vector<float> expected(map.size());
    reference::Scale(kPixels, channels, map.data(), gate.data(), expected.data());
    for (const std::size_t gap : {0, 3}) {
      for (const bool in_place : {false, true}) {
        SCOPED_TRACE(testing::Message() << channels << " channels, " << gap << " between pixels");
        auto input = WithGaps(map, channels, gap);
        auto output = WithGaps(map, channels, gap);
        const std::size_t pitch = (channels + gap) * sizeof(float);
        kernels_.scale({.map = input.data(),
                        .map_pitch = pitch,
                        .gate = gate.data(),
                        .pixels = kPixels,
                        .channels = channels,
                        .output = in_place ? input.data() : output.data(),
                        .output_pitch = pitch});
        const auto& actual = in_place ? input : output;
        const auto wanted = WithGaps(expected, channels, gap);
        for (std::size_t i = 0; i < wanted.size(); ++i)
          ASSERT_TRUE(actual[i] == wanted[i] || (std::isnan(actual[i]) && std::isnan(wanted[i]))) << i;
      }
    }
  }
}

TEST_P(KernelsTest, MaxPoolOverOddSizes) {
  for (const int channels : {1, 3, 8, 15, 17, 33}) {
    for (const int kernel : {1, 2, 3, 7}) {
      for (const WindowStep stride : {WindowStep(1), WindowStep(2, 1), WindowStep(3, 2)}) {
        const int height = (9 - kernel) / stride.down + 1;
        const int width = (11 - kernel) / stride.across + 1;
        const Window w = {9, 11, channels, height, width, channels, kernel, stride, 0, 0};
        SCOPED_TRACE(testing::Message() << channels << " channels, kernel " << kernel);
        const auto input = RandomValues(std::size_t{9} * 11 * channels, 1);
        std::vector<float> expected(std::size_t{1} * height * width * channels);
        reference::MaxPool(w, input.data(), expected.data());
        std::vector<float> actual(expected.size() + 1, kGuard);
        const std::size_t pitch = channels * sizeof(float);
        Step step;
        step.window = w;
        step.pixels = static_cast<std::size_t>(height) * width;
        step.rows = MaxRows();
        const MapView from = {const_cast<float*>(input.data()), pitch, 11, 9};
        const MapView to = {actual.data(), pitch, width, height};
        RunPart(step, kernels_, {0, step.pixels, 0, 0}, {from, from, to}, nullptr);
        EXPECT_EQ(actual.back(), kGuard);
        actual.pop_back();
        EXPECT_EQ(actual, expected);
      }
    }
  }
}

// -3 and 3 are where the curves bend: below they are 0, above 1 and the value itself.
TEST_P(KernelsTest, CurvesAreExactAtTheirEdges) {
  const std::vector<float> values = {-100, -3, -1.5F, 0, 1.5F, 3, 100};
  const std::vector<float> none(values.size());
  const auto curve = [&](Range range) {
    std::vector<float> output(values.size());
    const std::size_t pitch = values.size() * sizeof(float);
    kernels_.add({.a = values.data(),
                  .a_pitch = pitch,
                  .b = none.data(),
                  .b_pitch = pitch,
                  .pixels = 1,
                  .channels = values.size(),
                  .range = range,
                  .output = output.data(),
                  .output_pitch = pitch});
    return output;
  };
  EXPECT_EQ(curve(kHardSigmoidRange), (std::vector<float>{0, 0, 0.25F, 0.5F, 0.75F, 1, 1}));
  EXPECT_EQ(curve(kHardSwishRange), (std::vector<float>{0, 0, -0.375F, 0, 1.125F, 3, 100}));
}

TEST_P(KernelsTest, Average) {
  for (const std::size_t channels : {1, 5, 8, 16, 19, 64, 1000}) {
    const auto input = RandomValues(49 * channels, 1);
    std::vector<float> expected(channels);
    std::vector<float> actual(channels, kGuard);
    reference::Average(input.data(), 49, channels, expected.data());
    kernels_.average(input.data(), 49, channels * sizeof(float), channels, actual.data());
    ExpectNear(expected, actual, 1e-6);
  }
}

TEST_P(KernelsTest, SoftmaxOverOddSizesAndExtremeLogits) {
  for (const std::size_t count : {1, 2, 3, 10, 17, 1000, 1001}) {
    for (const float scale : {0.0F, 1.0F, 30.0F, 1e30F}) {
      auto expected = RandomValues(count, 5);
      for (float& value : expected) value *= scale;
      auto actual = expected;
      reference::Softmax(expected);
      kernels_.softmax(actual);
      ExpectNear(expected, actual, 1e-6);
    }
  }
}

TEST_P(KernelsTest, RoundedNansStayNans) {
  // Those that rounding by addition would carry into the sign or into infinity, among others.
  for (const std::uint32_t bits : {0x7FFFFFFFU, 0xFFFFFFFFU, 0x7F800001U, 0xFF800001U, 0x7FC00000U}) {
    const std::vector<float> from(37, std::bit_cast<float>(bits));
    std::vector<std::uint16_t> to(37);
    if (WritesBf16()) {
      kernels_.round_to_bf16(from.data(), from.size(), to.data());
      for (const std::uint16_t value : to) EXPECT_TRUE(std::isnan(FromBf16(value))) << bits;
    }
    EXPECT_TRUE(std::isnan(FromBf16(RoundToBf16(from[0]))));
    EXPECT_TRUE(std::isnan(FromF16(RoundToF16(from[0]))));
    if (!MultipliesF16()) continue;
    kernels_.round_to_f16(from.data(), from.size(), to.data());
    for (const std::uint16_t value : to) EXPECT_TRUE(std::isnan(FromF16(value))) << bits;
  }
}

TEST_P(KernelsTest, MultiplyAddsCountsItsOperations) {
  EXPECT_EQ(kernels_.multiply_adds(1000), 2.0 * 12 * 1000 * static_cast<double>(kernels_.lanes));
}

INSTANTIATE_TEST_SUITE_P(Targets, KernelsTest, testing::ValuesIn(TargetNames()),
                         [](const auto& target) { return target.param; });

TEST(Kernels, FastestComesFirstAndThereIsAPortableOne) {
  const auto available = AvailableKernels();
  ASSERT_FALSE(available.empty());
  for (std::size_t i = 1; i < available.size(); ++i) EXPECT_LE(available[i]->lanes, available[i - 1]->lanes);
}

TEST(Patches, AreWhatAConvolutionMultiplies) {
  for (const int channels : {1, 2, 3, 4}) {
    for (const int stride : {1, 2}) {
      for (const int size : {1, 2, 5, 8}) {
        const int output = (size - 1) / stride + 1;
        const Window w = {size, size, channels, output, output, 5, 3, stride, 1, 1};
        const auto k = static_cast<std::size_t>(9 * channels);
        const auto input = RandomValues(static_cast<std::size_t>(size) * size * channels, 1);
        const auto weight = RandomValues(k * 5, 2);
        const auto bias = RandomValues(5, 3);
        const auto pixels = static_cast<std::size_t>(output) * output;
        std::vector<float> expected(pixels * 5);
        reference::Convolution(w, input.data(), weight.data(), bias.data(), kAll, expected.data());
        std::vector<float> patches(pixels * k, kGuard);
        CopyPatches(w, input.data(), static_cast<std::size_t>(channels), 0, pixels / 2, patches.data());
        CopyPatches(w, input.data(), static_cast<std::size_t>(channels), pixels / 2, pixels,
                    patches.data() + pixels / 2 * k);
        std::vector<float> actual(pixels * 5);
        reference::Product(pixels, k, 5, patches.data(), weight.data(), bias.data(), kAll, actual.data());
        ExpectNear(expected, actual, 1e-6);
      }
    }
  }
}

}  // namespace
}  // namespace mobilenet
