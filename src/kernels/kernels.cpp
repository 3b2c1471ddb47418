#include "kernels/kernels.h"

#include "kernels/cpu.h"
#include "kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/kernels.cpp"  // this file, once for each target
#include "hwy/foreach_target.h"                   // IWYU pragma: keep
//
#include "hwy/highway.h"
#include "kernels/add-inl.h"
#include "kernels/depthwise-inl.h"
#include "kernels/pooling-inl.h"
#include "kernels/product-inl.h"
#include "kernels/scale-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mobilenet::HWY_NAMESPACE {

#if HWY_TARGET == HWY_AVX3
constexpr std::string_view kName = "avx512";
#elif HWY_TARGET == HWY_AVX2
constexpr std::string_view kName = "avx2";
#elif HWY_TARGET == HWY_SSE4
constexpr std::string_view kName = "sse4";
#elif HWY_TARGET == HWY_NEON
constexpr std::string_view kName = "neon";
#else
constexpr std::string_view kName = "portable";
#endif

// In one table for each target, reached through a function: the number of lanes is a run-time value in
// Highway.
const Kernels& Table() {
  static const Kernels table = {
    .name = kName,
    .target = HWY_TARGET,
    .lanes = hn::Lanes(F()),
    .tile_rows = kTileRows,
    .bf16_rows = false,
    .product = &Product<Float32>,
    .product_bf16 = &Product<Bf16Widened>,
#if HWY_TARGET == HWY_AVX3
    .product_of_two = &ProductOfTwo,
    .alternate = &Alternate,
#else
    .product_of_two = nullptr,
    .alternate = nullptr,
#endif
    .round_to_bf16 = &RoundRow<Format::kBfloat16>,
    .product_f16 = nullptr,
    .round_to_f16 = nullptr,
    .depthwise = &Depthwise,
    .add = &Add,
    .scale = &Scale,
    .max_pool = &MaxPool,
    .average = &Average,
    .softmax = &Softmax,
    .multiply_adds = &MultiplyAdds
  };
  return table;
}

// Extensions of the same instruction sets: AVX512_BF16 and AVX512_FP16, FEAT_BF16 and FEAT_FP16. Clang's
// assembler can be told to take Arm's from version 17 on.
#if HWY_TARGET == HWY_AVX3 || (HWY_TARGET == HWY_NEON && (!HWY_COMPILER_CLANG || HWY_COMPILER_CLANG >= 1700))
constexpr std::string_view kBf16Name = HWY_TARGET == HWY_NEON ? "neonbf16" : "avx512bf16";
constexpr std::string_view kF16Name = HWY_TARGET == HWY_NEON ? "neonfp16" : "avx512fp16";

// That for bfloat16: only its products differ.
const Kernels& Bf16Table() {
  static const Kernels table = [] {
    Kernels with = Table();
    with.name = kBf16Name;
    with.bf16_rows = true;
    with.product_bf16 = &Product<Bf16Dot>;
    return with;
  }();
  return table;
}

// That for half precision: again only the products differ.
const Kernels& F16Table() {
  static const Kernels table = [] {
    Kernels with = Table();
    with.name = kF16Name;
    with.product_f16 = &Product<F16Pairs>;
    with.round_to_f16 = &RoundRow<Format::kFloat16>;
    return with;
  }();
  return table;
}
#endif

}  // namespace mobilenet::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mobilenet {
namespace {

struct Available {
  std::array<const Kernels*, 8> tables{};
  std::size_t count = 0;

  Available() {
    const auto add = [this](const Kernels& kernels) {
      if ((SupportedTargets() & kernels.target) != 0) tables[count++] = &kernels;
    };
#if HWY_TARGETS & HWY_AVX3
    if (HasF16()) add(N_AVX3::F16Table());
    if (HasBf16Dot()) add(N_AVX3::Bf16Table());
    add(N_AVX3::Table());
#endif
#if HWY_TARGETS & HWY_AVX2
    add(N_AVX2::Table());
#endif
#if HWY_TARGETS & HWY_SSE4
    add(N_SSE4::Table());
#endif
#if HWY_TARGETS & HWY_NEON
#if !HWY_COMPILER_CLANG || HWY_COMPILER_CLANG >= 1700
    if (HasF16()) add(N_NEON::F16Table());
    if (HasBf16Dot()) add(N_NEON::Bf16Table());
#endif
    add(N_NEON::Table());
#endif
#if HWY_TARGETS & HWY_EMU128
    add(N_EMU128::Table());
#endif
#if HWY_TARGETS & HWY_SCALAR
    add(N_SCALAR::Table());
#endif
  }
};

}  // namespace

std::span<const Kernels* const> AvailableKernels() {
  static const Available available;
  return {available.tables.data(), available.count};
}

}  // namespace mobilenet
#endif  // HWY_ONCE
