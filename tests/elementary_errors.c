/* Print the largest relative errors of the kernel's exp, expm1, log1p and log, in units of rounding: of float against
 * libm's double, of double against its long double. */

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define REAL_IS_DOUBLE 0
#include "elementary.h"
#include "undefine.h"
#define REAL_IS_DOUBLE 1
#include "elementary.h"

static double worst[8];

static void note(int which, long double actual, long double expected, int bits) {
    double error = expected == 0 ? 0 : (double)(fabsl(actual - expected) / fabsl(expected) * ldexpl(1, bits));
    if (!(error <= worst[which])) worst[which] = error;
}

static float as_float(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

int main(void) {
    for (uint32_t bits = 0x00800000u; bits < 0x7F800000u; bits += 61) { /* positive floats, evenly on a logarithmic scale */
        float x = as_float(bits), minus_one, rest;
        if (x < 87) {
            note(0, exp_below_0_float(-x, &minus_one), exp(-(double)x), 24);
            note(1, minus_one, expm1(-(double)x), 24);
        }
        if (x <= 1) note(2, log1p_to_1_float(x), log1p((double)x), 24);
        note(3, log_and_rest_float(x, &rest), log((double)x), 24);
    }
    for (int i = 0; i < 2000000; i++) {
        double part = (i + 0.5) / 2000000, minus_one, rest;
        double x = exp(-40 + 46.5 * part), t = i % 2 ? exp(-40 * part) : part;
        double far = i % 2 ? exp(1400 * part - 700) : 0.5 + part;
        note(4, exp_below_0_double(-x, &minus_one), expl(-(long double)x), 53);
        note(5, minus_one, expm1l(-(long double)x), 53);
        note(6, log1p_to_1_double(t), log1pl((long double)t), 53);
        note(7, log_and_rest_double(far, &rest), logl((long double)far), 53);
    }
    for (int which = 0; which < 8; which++) printf("%.3f ", worst[which]);
    return 0;
}
