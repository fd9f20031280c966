/* For any processor of the platform: SSE2 on x86-64, NEON on Arm. */

#define KERNEL kernel_baseline
#define VECTORS "baseline"
#include "variant.h"
