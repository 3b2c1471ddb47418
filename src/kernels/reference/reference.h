// The plain kernels: what each operation means, in loops that can be read at a glance. The fast ones are
// compared with these. All tensors are NHWC without gaps; windows that leave the input read zeros.
#pragma once

#include <cstddef>
#include <span>

#include "kernels/kernels.h"

namespace mobilenet::reference {

// What a range makes of a value: by its curve, then clamped.
float Activated(double value, Range range);

// weight [kernel, kernel, in, out], bias [out].
void Convolution(const Window& w, const float* input, const float* weight, const float* bias, Range range,
                 float* output);

// weight [kernel, kernel, channels], bias [channels].
void Depthwise(const Window& w, const float* input, const float* weight, const float* bias, Range range,
               float* output);

// a [rows, k], weight [k, columns], bias [columns], and residual [rows, columns] where there is one:
// pointwise convolution and fully connected layer alike.
void Product(std::size_t rows, std::size_t k, std::size_t columns, const float* a, const float* weight,
             const float* bias, Range range, float* output, const float* residual = nullptr);

// The same as Kernels::product_f16 adds up, of values that half precision can hold: in runs of equal length,
// the even and the odd values of each in a sum of half precision of their own.
void ProductF16(std::size_t rows, std::size_t k, std::size_t columns, const float* a, const float* weight,
                const float* bias, Range range, float* output);

// Of maps of `size` values.
void Add(std::size_t size, const float* a, const float* b, Range range, float* output);

// Each pixel of a map times a gate for each channel.
void Scale(std::size_t pixels, std::size_t channels, const float* map, const float* gate, float* output);

void MaxPool(const Window& w, const float* input, float* output);

void Average(const float* input, std::size_t pixels, std::size_t channels, float* output);

// In place.
void Softmax(std::span<float> values);

}  // namespace mobilenet::reference
