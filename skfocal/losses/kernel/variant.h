/* One variant of the kernel: all of it, for the processors that the file which includes this has said, as KERNEL. */

#include <math.h>
#include "kernel.h"

#if defined(__FMA__) || defined(__aarch64__)
#define HAS_FMA 1 /* a * b + c in one instruction, and one rounding */
#endif

#define REAL_IS_DOUBLE 0
#include "elementary.h"
#include "formulas.h"
#include "blocks.h"
#include "undefine.h"

#define REAL_IS_DOUBLE 1
#include "elementary.h"
#include "formulas.h"
#include "blocks.h"
#include "posterior.h"

const Kernel KERNEL = {VECTORS, derivatives_float, derivatives_double, losses_float, losses_double, posteriors};
