// How long a photo takes to become a network's input.
//
//   image_bench [--benchmark_...]
//
// The pictures are made on the spot, or read from the JPEG files that MOBILENET_BENCH_LARGE and
// MOBILENET_BENCH_SMALL name (bench/peers/image.py sets both, so that all programs see the same files).
#include <cstddef>
#include <cstdint>
#include <cstdio>  // jpeglib.h expects FILE to be known
#include <cstdlib>
#include <string>
#include <vector>

#include <jpeglib.h>

#include "benchmark/benchmark.h"
#include "mobilenet/image.h"

namespace mobilenet {
namespace {

constexpr int kSide = 224;

using Bytes = std::vector<std::uint8_t>;

// Waves and noise: about as many bytes a pixel as a photo has.
Bytes MakeJpeg(int width, int height) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* data = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &data, &size);
  info.image_width = static_cast<JDIMENSION>(width);
  info.image_height = static_cast<JDIMENSION>(height);
  info.input_components = 3;
  info.in_color_space = JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 90, TRUE);
  jpeg_start_compress(&info, TRUE);
  Bytes row(static_cast<std::size_t>(width) * 3);
  std::uint32_t state = 1;
  for (int y = 0; y < height; ++y) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      state = state * 1664525U + 1013904223U;
      const auto wave =
          static_cast<unsigned>((i / 3 * (i % 3 + 1) + static_cast<std::size_t>(y) * 2) / 8 % 200);
      row[i] = static_cast<std::uint8_t>(wave + (state >> 28));
    }
    JSAMPROW rows[] = {row.data()};
    jpeg_write_scanlines(&info, rows, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  Bytes bytes(data, data + size);
  std::free(data);
  return bytes;
}

Bytes ReadAll(const char* name) {
  Bytes bytes;
  std::FILE* file = std::fopen(name, "rb");
  if (file == nullptr) return bytes;
  Bytes block(65536);
  for (std::size_t count = 1; count > 0;) {
    count = std::fread(block.data(), 1, block.size(), file);
    bytes.insert(bytes.end(), block.begin(), block.begin() + static_cast<std::ptrdiff_t>(count));
  }
  std::fclose(file);
  return bytes;
}

Bytes Picture(const char* variable, int width, int height) {
  const char* name = std::getenv(variable);
  return name == nullptr ? MakeJpeg(width, height) : ReadAll(name);
}

Bytes Large() { return Picture("MOBILENET_BENCH_LARGE", 4000, 3000); }
Bytes Small() { return Picture("MOBILENET_BENCH_SMALL", 500, 375); }

void Decode(benchmark::State& state, const Bytes& bytes) {
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(DecodeImage(bytes).pixels.data());
}

void DecodeAndPreprocess(benchmark::State& state, const Bytes& bytes, bool scaled) {
  const Preprocessing preprocessing;
  const DecodeOptions options = scaled ? DecodeOptionsFor(preprocessing, kSide, kSide) : DecodeOptions{};
  std::vector<float> input(std::size_t{kSide} * kSide * 3);
  for ([[maybe_unused]] auto _ : state) {
    Preprocess(DecodeImage(bytes, options), preprocessing, kSide, kSide, 3, input);
    benchmark::DoNotOptimize(input.data());
  }
}

void ResizeOnly(benchmark::State& state, const Bytes& bytes, ResizeFilter filter) {
  const Image image = DecodeImage(bytes);
  const Box box = CropBox(image.width, image.height, {});
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(Resize(image, kSide, kSide, filter, box).pixels.data());
  }
}

void Register() {
  const auto add = [](const std::string& name, auto function) {
    benchmark::RegisterBenchmark(name.c_str(), function)->Unit(benchmark::kMillisecond);
  };
  add("large/decode", [bytes = Large()](benchmark::State& state) { Decode(state, bytes); });
  add("large/input_unscaled",
      [bytes = Large()](benchmark::State& state) { DecodeAndPreprocess(state, bytes, false); });
  add("large/input", [bytes = Large()](benchmark::State& state) { DecodeAndPreprocess(state, bytes, true); });
  add("large/resize_bilinear",
      [bytes = Large()](benchmark::State& state) { ResizeOnly(state, bytes, ResizeFilter::kBilinear); });
  add("small/decode", [bytes = Small()](benchmark::State& state) { Decode(state, bytes); });
  add("small/input", [bytes = Small()](benchmark::State& state) { DecodeAndPreprocess(state, bytes, true); });
  add("small/resize_bilinear",
      [bytes = Small()](benchmark::State& state) { ResizeOnly(state, bytes, ResizeFilter::kBilinear); });
  add("small/resize_bicubic",
      [bytes = Small()](benchmark::State& state) { ResizeOnly(state, bytes, ResizeFilter::kBicubic); });
}

}  // namespace
}  // namespace mobilenet

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  mobilenet::Register();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
