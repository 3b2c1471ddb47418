#include "kernels/cpu.h"

#include "hwy/detect_targets.h"

#if HWY_ARCH_X86
#include <cpuid.h>
#elif HWY_ARCH_ARM_A64 && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace mobilenet {
namespace {

#if HWY_ARCH_X86
// What each of Highway's targets lets the compiler use. F16C and LZCNT, which AVX2 code may hold too, come
// with every processor that has BMI2.
bool HasSse4() {
  return __builtin_cpu_supports("sse4.2") != 0 && __builtin_cpu_supports("pclmul") != 0 &&
         __builtin_cpu_supports("aes") != 0;
}

bool HasAvx2() {
  return HasSse4() && __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0 &&
         __builtin_cpu_supports("bmi") != 0 && __builtin_cpu_supports("bmi2") != 0;
}

bool HasAvx512() {
  return HasAvx2() && __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
         __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512cd") != 0;
}
#endif

}  // namespace

bool HasBf16Dot() {
#if HWY_ARCH_X86
  __builtin_cpu_init();
  return HasAvx512() && __builtin_cpu_supports("avx512bf16") != 0;
#elif HWY_ARCH_ARM_A64 && defined(__linux__)
  return (getauxval(AT_HWCAP2) & HWCAP2_BF16) != 0;
#else
  return false;
#endif
}

bool HasF16() {
#if HWY_ARCH_X86
  __builtin_cpu_init();
#ifdef MOBILENET_EMULATE_F16
  return HasAvx512();
#else
  // Older compilers' __builtin_cpu_supports doesn't know it: leaf 7, EDX bit 23.
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  return HasAvx512() && __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (edx >> 23 & 1) != 0;
#endif
#elif HWY_ARCH_ARM_A64 && defined(__linux__)
  return (getauxval(AT_HWCAP) & HWCAP_ASIMDHP) != 0;
#else
  return false;
#endif
}

std::int64_t SupportedTargets() {
  std::int64_t targets = HWY_EMU128 | HWY_SCALAR;
#if HWY_ARCH_X86
  __builtin_cpu_init();
  if (HasSse4()) targets |= HWY_SSE4;
  if (HasAvx2()) targets |= HWY_AVX2;
  if (HasAvx512()) targets |= HWY_AVX3;
#elif HWY_ARCH_ARM_A64
  // Highway's NEON lets the compiler use AES too, which some processors lack (a Raspberry Pi 4); but
  // compilers emit those instructions for their intrinsics alone, and kernels have none.
  targets |= HWY_NEON;
#endif
  return targets;
}

}  // namespace mobilenet
