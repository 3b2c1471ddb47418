#include "runtime/windows.h"

#include <algorithm>
#include <cstdint>

#include "base/bytes.h"
#include "kernels/patches.h"

namespace mobilenet {
namespace {

// Floats in one row of the padded input under the windows of `pixels` neighbours.
std::size_t WindowRowLength(const Window& w, std::size_t pixels) {
  return ((pixels - 1) * w.stride.across + w.kernel) * w.input_channels;
}

// Floats of a row that is copied for the windows of `pixels` neighbours, two at once, in whole cache lines.
std::size_t PairedRowLength(const Window& w, std::size_t pixels) {
  constexpr std::size_t kLine = 16;
  return (2 * WindowRowLength(w, pixels - 1) + kLine - 1) / kLine * kLine;
}

// The product of windows that are read where they lie, one row of the output after the other. Only the tiles
// of windows that hang over an edge are read from a padded copy; in bfloat16 all are read from a rounded one.
class WindowProduct {
 public:
  WindowProduct(const Window& window, WindowRowsForm form, const Kernels& kernels, const ProductTask& task,
                const MapView& input, float* scratch)
      : window_(window),
        kernels_(kernels),
        multiply_(form == WindowRowsForm::kPlain ? kernels.product : kernels.product_bf16),
        rounded_(form == WindowRowsForm::kBfloat16 && kernels.bf16_rows),
        task_(task),
        input_(input),
        scratch_(scratch) {
    task_.a_stride = window_.stride.across * window_.input_channels * value_size();
    task_.segments = window_.kernel;
  }

  // The output pixels [begin, end) of row `y`.
  void Row(int y, int begin, int end) {
    const Window& w = window_;
    const int top = y * w.stride.down - w.padding_top;
    const bool whole = input_.rows >= w.input_height && input_.pitch == w.input_channels * sizeof(float);
    const bool inside = top >= 0 && top + w.kernel <= w.input_height && w.kernel <= w.input_width;
    if (rounded_ || !whole || !inside) return Copied(top, begin, end);
    const int tile = static_cast<int>(kernels_.tile_rows);
    const int first =
        (w.padding_left + w.stride.across - 1) / w.stride.across;  // the first window that begins inside
    const int after =
        (w.input_width - w.kernel + w.padding_left) / w.stride.across + 1;  // the first that ends outside
    const int left = begin < first ? std::min(end, begin + tile) : begin;
    const int direct = std::max(0, std::min(end, after) - left);
    const int right = left + (left + direct == end ? direct : direct / tile * tile);
    Copied(top, begin, left);
    if (right > left) {
      task_.a = AddBytes(input_.Row(top),
                         static_cast<std::size_t>(left * w.stride.across - w.padding_left) * input_.pitch);
      task_.segment_pitch = w.input_width * input_.pitch;
      Product(left, right);
    }
    Copied(top, right, end);
  }

 private:
  void Copied(int top, int begin, int end) {
    if (begin >= end) return;
    const Window& w = window_;
    task_.a = scratch_;
    const std::size_t length = WindowRowLength(w, static_cast<std::size_t>(end - begin));
    task_.segment_pitch = length * value_size();
    for (int ky = 0; ky < w.kernel; ++ky) {
      const int y = top + ky;
      const bool exists = y >= 0 && y < w.input_height;
      // The form that is rounded takes half of the room: the last row's copy lies where nothing else does.
      float* to = scratch_ + (rounded_ ? w.kernel - 1 : ky) * length;
      CopyPixels(w, exists ? input_.Row(y) : nullptr, begin * w.stride.across - w.padding_left,
                 length / w.input_channels, to);
      if (rounded_) kernels_.round_to_bf16(to, length, AddBytes(scratch_, ky * task_.segment_pitch));
    }
    Product(begin, end);
  }

  void Product(int begin, int end) {
    task_.rows = static_cast<std::size_t>(end - begin);
    multiply_(task_);
    task_.c = AddBytes(task_.c, task_.rows * task_.c_stride);
    if (task_.residual != nullptr)
      task_.residual = AddBytes(task_.residual, task_.rows * task_.residual_stride);
  }

  [[nodiscard]] std::size_t value_size() const { return rounded_ ? sizeof(std::uint16_t) : sizeof(float); }

  const Window& window_;
  const Kernels& kernels_;
  void (*multiply_)(const ProductTask&);
  bool rounded_;
  ProductTask task_;
  const MapView& input_;
  float* scratch_;
};

// The same for two neighbouring windows at once: of each input row under them a copy, in which every value is
// followed by the one that the next window has in its place.
class PairedWindows {
 public:
  PairedWindows(const Window& window, const Kernels& kernels, const ProductTask& task, const MapView& input,
                float* scratch)
      : window_(window),
        kernels_(kernels),
        task_(task),
        input_(input),
        scratch_(scratch),
        next_(static_cast<std::size_t>(window_.stride.across) * window_.input_channels) {
    task_.a = scratch;
    task_.a_stride = 4 * next_ * sizeof(float);
    task_.segments = window_.kernel;
    task_.c_stride *= 2;
  }

  // The output pixels [begin, end) of row `y`.
  void Row(int y, int begin, int end) {
    const auto pixels = static_cast<std::size_t>(end - begin);
    task_.rows = pixels / 2;
    const std::size_t length = PairedRowLength(window_, pixels);
    task_.segment_pitch = length * sizeof(float);
    for (int ky = 0; ky < window_.kernel; ++ky) {
      const int iy = y * window_.stride.down - window_.padding_top + ky;
      float* to = scratch_ + ky * length;
      if (iy < 0 || iy >= window_.input_height) {
        std::fill_n(to, length, 0.0F);
      } else {
        CopyRow(input_.Row(iy), begin * window_.stride.across - window_.padding_left,
                WindowRowLength(window_, pixels - 1), to);
      }
    }
    kernels_.product_of_two(task_);
    task_.c = AddBytes(task_.c, task_.rows * task_.c_stride);
  }

 private:
  // `count` values from column `left` on, each with the one after it, and zeros outside of the row.
  void CopyRow(const float* row, int left, std::size_t count, float* to) const {
    const auto length = static_cast<std::ptrdiff_t>(window_.input_width) * window_.input_channels;
    const auto next = static_cast<std::ptrdiff_t>(next_);
    const auto first = static_cast<std::ptrdiff_t>(left) * window_.input_channels;
    const auto value = [&](std::ptrdiff_t i) { return i >= 0 && i < length ? row[i] : 0.0F; };
    const auto last = first + static_cast<std::ptrdiff_t>(count);
    const std::ptrdiff_t inside = std::clamp<std::ptrdiff_t>(0, first, last);
    const std::ptrdiff_t outside = std::clamp(length - next, inside, last);
    const auto one_by_one = [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
      for (std::ptrdiff_t i = begin; i < end; ++i) {
        *to++ = value(i);
        *to++ = value(i + next);
      }
    };
    one_by_one(first, inside);
    kernels_.alternate(row + inside, row + inside + next, static_cast<std::size_t>(outside - inside), to);
    to += 2 * (outside - inside);
    one_by_one(outside, last);
  }

  const Window& window_;
  const Kernels& kernels_;
  ProductTask task_;
  const MapView& input_;
  float* scratch_;
  std::size_t next_;  // floats from a window to the next
};

}  // namespace

std::size_t WindowScratch(const Window& window, WindowRowsForm form, std::size_t pixels) {
  return window.kernel * (form == WindowRowsForm::kTwoPixels ? PairedRowLength(window, pixels)
                                                             : WindowRowLength(window, pixels));
}

void MultiplyWindows(const Window& window, WindowRowsForm form, const Kernels& kernels,
                     const ProductTask& task, const MapView& input, const Part& part, float* scratch) {
  const auto run = [&](auto product) {
    ForEachRow(part.begin, part.end, static_cast<std::size_t>(window.output_width),
               [&](std::size_t y, std::size_t begin, std::size_t end) {
                 product.Row(static_cast<int>(y), static_cast<int>(begin), static_cast<int>(end));
               });
  };
  form == WindowRowsForm::kTwoPixels ? run(PairedWindows(window, kernels, task, input, scratch))
                                     : run(WindowProduct(window, form, kernels, task, input, scratch));
}

}  // namespace mobilenet
