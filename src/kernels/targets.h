// Which instruction sets Highway compiles for: included before foreach_target.h, once in a file. Not
// compiled: SVE (NEON covers those machines), and the AVX-512 extensions that float32 has no use for.
#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
// ThreadSanitizer looks at threads, not at instructions: two of x86's three sets, which take longer to
// compile than all else, are left out there.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL | HWY_AVX3 | HWY_SSE4)
#endif
#endif
