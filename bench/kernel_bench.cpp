// Each kind of step at every layer shape of the MobileNets (V1, V2, V3-Large, alpha 1, 224 x 224), on one
// thread, by instruction set: GFLOP/s, and the share of the core's float32 peak measured just before. A
// kernel that got slower shows here by name.
//
//   kernel_bench --benchmark_filter='product/avx512/'
#include <benchmark/benchmark.h>

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "base/machine.h"
#include "runtime/step.h"

namespace mobilenet {
namespace {

struct ProductShape {
  std::size_t rows, k, columns;
  auto operator<=>(const ProductShape&) const = default;
};

// A side of the input, channels, kernel and stride.
struct DepthwiseShape {
  int side, channels, kernel, stride;
  auto operator<=>(const DepthwiseShape&) const = default;
};

struct Shapes {
  std::set<ProductShape> products;
  std::set<DepthwiseShape> depthwises;

  void Pointwise(int side, int in, int out) {
    const auto rows = static_cast<std::size_t>(side) * side;
    products.insert({rows, static_cast<std::size_t>(in), static_cast<std::size_t>(out)});
  }
  // V1's block.
  void Separable(int side, int in, int out, int stride) {
    depthwises.insert({side, in, 3, stride});
    Pointwise(side / stride, in, out);
  }
  // The block of V2 and V3: expand, depthwise, project.
  void Inverted(int side, int in, int expanded, int out, int kernel, int stride) {
    if (expanded != in) Pointwise(side, in, expanded);
    depthwises.insert({side, expanded, kernel, stride});
    Pointwise(side / stride, expanded, out);
  }
};

Shapes AllShapes() {
  Shapes s;
  // V1, Howard et al. 2017, Table 1.
  s.Separable(112, 32, 64, 1);
  s.Separable(112, 64, 128, 2);
  s.Separable(56, 128, 128, 1);
  s.Separable(56, 128, 256, 2);
  s.Separable(28, 256, 256, 1);
  s.Separable(28, 256, 512, 2);
  s.Separable(14, 512, 512, 1);
  s.Separable(14, 512, 1024, 2);
  s.Separable(7, 1024, 1024, 1);
  s.Pointwise(1, 1024, 1000);
  // V2, Sandler et al. 2018, Table 2.
  s.Inverted(112, 32, 32, 16, 3, 1);
  s.Inverted(112, 16, 96, 24, 3, 2);
  s.Inverted(56, 24, 144, 24, 3, 1);
  s.Inverted(56, 24, 144, 32, 3, 2);
  s.Inverted(28, 32, 192, 32, 3, 1);
  s.Inverted(28, 32, 192, 64, 3, 2);
  s.Inverted(14, 64, 384, 64, 3, 1);
  s.Inverted(14, 64, 384, 96, 3, 1);
  s.Inverted(14, 96, 576, 96, 3, 1);
  s.Inverted(14, 96, 576, 160, 3, 2);
  s.Inverted(7, 160, 960, 160, 3, 1);
  s.Inverted(7, 160, 960, 320, 3, 1);
  s.Pointwise(7, 320, 1280);
  s.Pointwise(1, 1280, 1000);
  // V3-Large, Howard et al. 2019, Table 1.
  s.Inverted(112, 16, 16, 16, 3, 1);
  s.Inverted(112, 16, 64, 24, 3, 2);
  s.Inverted(56, 24, 72, 24, 3, 1);
  s.Inverted(56, 24, 72, 40, 5, 2);
  s.Inverted(28, 40, 120, 40, 5, 1);
  s.Inverted(28, 40, 240, 80, 3, 2);
  s.Inverted(14, 80, 200, 80, 3, 1);
  s.Inverted(14, 80, 184, 80, 3, 1);
  s.Inverted(14, 80, 480, 112, 3, 1);
  s.Inverted(14, 112, 672, 112, 3, 1);
  s.Inverted(14, 112, 672, 160, 5, 2);
  s.Inverted(7, 160, 960, 160, 5, 1);
  s.Pointwise(7, 160, 960);
  s.Pointwise(1, 960, 1280);
  return s;
}

AlignedVector<float> Values(std::size_t n) {
  AlignedVector<float> values(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = static_cast<float>(i * 37 % 255) / 127.5F - 1;
  return values;
}

constexpr Range kRelu6 = {0, 6};

Step ProductStep(const ProductShape& shape, const Kernels& kernels, Precision precision) {
  Step step;
  step.pixels = shape.rows;
  step.end.range = kRelu6;
  const auto weights = Values(shape.k * shape.columns);
  const auto bias = Values(shape.columns);
  step.product = MakeProduct(precision, kernels, weights, bias, kRelu6, nullptr);
  return step;
}

void SetWindow(Step& step, int side, int in, int out, int kernel, int stride) {
  const int outside = (side + stride - 1) / stride;
  const int padding = std::max(0, (outside - 1) * stride + kernel - side) / 2;
  step.window = {side, side, in, outside, outside, out, kernel, stride, padding, padding};
  step.pixels = static_cast<std::size_t>(outside) * outside;
}

Step DepthwiseStep(const DepthwiseShape& shape) {
  Step step;
  SetWindow(step, shape.side, shape.channels, shape.channels, shape.kernel, shape.stride);
  step.rows = DepthwiseRows{Values(static_cast<std::size_t>(shape.kernel) * shape.kernel * shape.channels),
                            Values(static_cast<std::size_t>(shape.channels)), kRelu6};
  return step;
}

// V1's first layer, of 32 channels times alpha.
Step FirstConvolution(const Kernels& kernels, int channels) {
  Step step;
  step.end.range = kRelu6;
  SetWindow(step, 224, 3, channels, 3, 2);
  const auto columns = static_cast<std::size_t>(channels);
  SetWindowProduct(Precision::kFloat32, kernels, Values(27 * columns), Values(columns), nullptr, step);
  return step;
}

double PeakOf(const Kernels& kernels) {
  const auto begin = std::chrono::steady_clock::now();
  const double operations = kernels.multiply_adds(1'000'000);
  return operations / std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void Measure(benchmark::State& state, const Step& step, const Kernels& kernels, std::size_t input_size,
             double macs) {
  const CacheSizes caches = Caches();
  const Split split = SplitStep(step, kernels, caches.l1, caches.l2, 1);
  auto input = Values(input_size);
  const bool has_window = step.window.input_width > 0;
  const std::size_t input_channels = has_window ? step.window.input_channels : step.row_length();
  const MapView from = {input.data(), input_channels * sizeof(float),
                        has_window ? step.window.input_width : static_cast<int>(step.pixels),
                        has_window ? step.window.input_height : 1};
  const auto* windows = std::get_if<WindowRows>(&step.rows);
  const std::size_t columns = step.product ? step.product->matrix.columns : step.row_length();
  const std::size_t channels = windows != nullptr && windows->two_pixels ? columns / 2 : columns;
  AlignedVector<float> output(step.pixels * channels);
  const MapView to = {output.data(), channels * sizeof(float), static_cast<int>(step.pixels), 1};
  AlignedVector<std::byte> scratch(ScratchSize(step, split.block_pixels));
  const double peak = PeakOf(kernels);
  for (auto _ : state) {
    for (int task = 0; task < split.tasks(); ++task) {
      const Part part = PartOf(step, split, task);
      RunPart(step, kernels, part, {from, from, to}, scratch.data());
    }
    benchmark::ClobberMemory();
  }
  const double operations = 2 * macs * static_cast<double>(state.iterations());
  state.counters["GFLOP/s"] = benchmark::Counter(operations / 1e9, benchmark::Counter::kIsRate);
  state.counters["of_peak"] = benchmark::Counter(operations / peak, benchmark::Counter::kIsRate);
}

void Register(const Kernels& kernels) {
  const std::string target(kernels.name);
  const Shapes shapes = AllShapes();
  const Kernels* k = &kernels;
  for (const int channels : {32, 8}) {
    benchmark::RegisterBenchmark(
        ("convolution/" + target + "/224x224x3_to_" + std::to_string(channels)).c_str(),
        [k, channels](benchmark::State& state) {
          const Step step = FirstConvolution(*k, channels);
          Measure(state, step, *k, std::size_t{224} * 224 * 3,
                  static_cast<double>(step.pixels) * 27 * channels);
        });
  }
  // In the 16 bits that the instruction set is made for, where it is.
  const Precision precision = kernels.product_f16 != nullptr ? Precision::kFloat16
                              : kernels.bf16_rows            ? Precision::kBfloat16
                                                             : Precision::kFloat32;
  for (const ProductShape& s : shapes.products) {
    const std::string name =
        std::to_string(s.rows) + "x" + std::to_string(s.k) + "x" + std::to_string(s.columns);
    benchmark::RegisterBenchmark(("product/" + target + "/" + name).c_str(),
                                 [k, s, precision](benchmark::State& state) {
                                   Measure(state, ProductStep(s, *k, precision), *k, s.rows * s.k,
                                           static_cast<double>(s.rows * s.k * s.columns));
                                 });
  }
  for (const DepthwiseShape& s : shapes.depthwises) {
    const std::string name = std::to_string(s.side) + "x" + std::to_string(s.side) + "x" +
                             std::to_string(s.channels) + "_k" + std::to_string(s.kernel) + "_s" +
                             std::to_string(s.stride);
    benchmark::RegisterBenchmark(
        ("depthwise/" + target + "/" + name).c_str(), [k, s](benchmark::State& state) {
          const Step step = DepthwiseStep(s);
          const auto size = static_cast<std::size_t>(s.side) * s.side * s.channels;
          Measure(state, step, *k, size, static_cast<double>(step.pixels) * s.channels * s.kernel * s.kernel);
        });
  }
}

}  // namespace
}  // namespace mobilenet

int main(int argc, char** argv) {
  for (const mobilenet::Kernels* kernels : mobilenet::AvailableKernels()) mobilenet::Register(*kernels);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
