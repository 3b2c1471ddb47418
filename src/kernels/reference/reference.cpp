#include "kernels/reference/reference.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/float16.h"

namespace mobilenet::reference {
namespace {

// Calls visit(input pixel, tap) for each tap of the window at output (y, x) that lies inside the input.
template <typename Visit>
void ForEachTap(const Window& w, int y, int x, Visit visit) {
  for (int ky = 0; ky < w.kernel; ++ky) {
    for (int kx = 0; kx < w.kernel; ++kx) {
      const int iy = y * w.stride.down - w.padding_top + ky;
      const int ix = x * w.stride.across - w.padding_left + kx;
      if (iy < 0 || iy >= w.input_height || ix < 0 || ix >= w.input_width) continue;
      visit(iy * w.input_width + ix, ky * w.kernel + kx);
    }
  }
}

// relu6(v + 3) / 6
double HardSigmoid(double v) { return std::clamp(v + 3, 0.0, 6.0) / 6; }

double Bend(double value, Curve curve) {
  switch (curve) {
    case Curve::kStraight:
      return value;
    case Curve::kHardSigmoid:
      return HardSigmoid(value);
    case Curve::kHardSwish:
      return value * HardSigmoid(value);
  }
  return value;
}

}  // namespace

float Activated(double value, Range range) {
  return std::clamp(static_cast<float>(Bend(value, range.curve)), range.low, range.high);
}

void Convolution(const Window& w, const float* input, const float* weight, const float* bias, Range range,
                 float* output) {
  for (int y = 0; y < w.output_height; ++y) {
    for (int x = 0; x < w.output_width; ++x) {
      for (int n = 0; n < w.output_channels; ++n) {
        double sum = bias[n];
        ForEachTap(w, y, x, [&](std::ptrdiff_t pixel, std::ptrdiff_t tap) {
          for (int m = 0; m < w.input_channels; ++m) {
            sum += double{input[pixel * w.input_channels + m]} *
                   weight[(tap * w.input_channels + m) * w.output_channels + n];
          }
        });
        *output++ = Activated(sum, range);
      }
    }
  }
}

void Depthwise(const Window& w, const float* input, const float* weight, const float* bias, Range range,
               float* output) {
  for (int y = 0; y < w.output_height; ++y) {
    for (int x = 0; x < w.output_width; ++x) {
      for (int c = 0; c < w.output_channels; ++c) {
        double sum = bias[c];
        ForEachTap(w, y, x, [&](std::ptrdiff_t pixel, std::ptrdiff_t tap) {
          sum += double{input[pixel * w.input_channels + c]} * weight[tap * w.input_channels + c];
        });
        *output++ = Activated(sum, range);
      }
    }
  }
}

void Product(std::size_t rows, std::size_t k, std::size_t columns, const float* a, const float* weight,
             const float* bias, Range range, float* output, const float* residual) {
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) {
      double sum = bias[j];
      if (residual != nullptr) sum += residual[i * columns + j];
      for (std::size_t n = 0; n < k; ++n) sum += double{a[i * k + n]} * weight[n * columns + j];
      output[i * columns + j] = Activated(sum, range);
    }
  }
}

void ProductF16(std::size_t rows, std::size_t k, std::size_t columns, const float* a, const float* weight,
                const float* bias, Range range, float* output) {
  const std::size_t pairs = PairsOf(k);
  const std::size_t runs = (pairs + kF16Run - 1) / kF16Run;
  const std::size_t values = 2 * ((pairs + runs - 1) / runs);  // of a run
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) {
      double sum = bias[j];
      for (std::size_t begin = 0; begin < k; begin += values) {
        float halves[2] = {};
        for (std::size_t n = begin; n < std::min(k, begin + values); ++n) {
          float& half = halves[n % 2];
          half = FromF16(RoundToF16(std::fma(a[i * k + n], weight[n * columns + j], half)));
        }
        sum += double{halves[0]} + halves[1];
      }
      output[i * columns + j] = Activated(sum, range);
    }
  }
}

void Add(std::size_t size, const float* a, const float* b, Range range, float* output) {
  for (std::size_t i = 0; i < size; ++i) output[i] = Activated(double{a[i]} + b[i], range);
}

void Scale(std::size_t pixels, std::size_t channels, const float* map, const float* gate, float* output) {
  for (std::size_t p = 0; p < pixels; ++p) {
    for (std::size_t c = 0; c < channels; ++c) *output++ = *map++ * gate[c];
  }
}

void MaxPool(const Window& w, const float* input, float* output) {
  for (int y = 0; y < w.output_height; ++y) {
    for (int x = 0; x < w.output_width; ++x) {
      for (int c = 0; c < w.output_channels; ++c) {
        float largest = -std::numeric_limits<float>::infinity();
        ForEachTap(w, y, x, [&](std::ptrdiff_t pixel, std::ptrdiff_t /*tap*/) {
          largest = std::max(largest, input[pixel * w.input_channels + c]);
        });
        *output++ = largest;
      }
    }
  }
}

void Average(const float* input, std::size_t pixels, std::size_t channels, float* output) {
  for (std::size_t c = 0; c < channels; ++c) {
    double sum = 0;
    for (std::size_t p = 0; p < pixels; ++p) sum += input[p * channels + c];
    output[c] = static_cast<float>(sum / static_cast<double>(pixels));
  }
}

void Softmax(std::span<float> values) {
  const double peak = *std::ranges::max_element(values);
  double total = 0;
  for (const float value : values) total += std::exp(value - peak);
  for (float& value : values) value = static_cast<float>(std::exp(value - peak) / total);
}

}  // namespace mobilenet::reference
