/* For x86-64 processors with AVX2 and FMA, whatever the compiler has been told the others have. */

#if defined(__x86_64__) || defined(_M_X64)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#elif defined(__GNUC__)
#pragma GCC target("avx2,fma")
#endif /* MSVC: by /arch:AVX2, see setup.py */

#define KERNEL kernel_avx2
#define VECTORS "AVX2"
#include "variant.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif
#else
typedef int no_variant_for_this_platform;
#endif
