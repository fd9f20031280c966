/* For x86-64 processors with AVX-512, whatever the compiler has been told the others have. */

#if defined(__x86_64__) || defined(_M_X64)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,fma"))), apply_to = function)
#elif defined(__GNUC__)
#pragma GCC target("avx512f,avx512dq,avx512bw,avx512vl,fma,prefer-vector-width=512")
#endif /* MSVC: by /arch:AVX512, see setup.py */

#define KERNEL kernel_avx512
#define VECTORS "AVX-512"
#include "variant.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif
#else
typedef int no_variant_for_this_platform;
#endif
