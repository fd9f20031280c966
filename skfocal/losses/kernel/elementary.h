/* exp, expm1, log and log1p without branches or calls, so that a loop over samples becomes one over vectors.
 *
 * Included once for each REAL, float and double. No compiler's libm is vectorised on every platform; these few lines
 * are. Arguments that are NaN give NaN. Errors are relative, in u, the unit of rounding (6e-8 or 1.1e-16), and measured
 * by tests/elementary_errors.c, which a test compiles and runs.
 */

#if REAL_IS_DOUBLE
#define REAL double
#define BITS uint64_t
#define SIGNED_BITS int64_t
#define NAME(name) name##_double
#define MANTISSA 52
#define BIAS 1023
#define ROUNDER 6755399441055744.0 /* 1.5 * 2**52: what is added to it is rounded to a whole number */
#define LN2_HIGH 0x1.62e42fefa3800p-1
#define LN2_LOW 0x1.ef35793c76730p-45
#define EXP_LOWEST (-708.3)
#define SMALLEST 2.2250738585072014e-308
#define HIGH_HALF (~(BITS)0 << 27)
#else
#define REAL float
#define BITS uint32_t
#define SIGNED_BITS int32_t
#define NAME(name) name##_float
#define MANTISSA 23
#define BIAS 127
#define ROUNDER 12582912.0f
#define LN2_HIGH 0x1.62e4p-1f
#define LN2_LOW 0x1.7f7d1cp-20f
#define EXP_LOWEST (-87.3f)
#define SMALLEST 1.17549435e-38f
#define HIGH_HALF (~(BITS)0 << 12)
#endif

typedef union { REAL value; BITS bits; } NAME(Pun);

static inline REAL NAME(from_bits)(BITS bits) { NAME(Pun) pun; pun.bits = bits; return pun.value; }
static inline BITS NAME(to_bits)(REAL value) { NAME(Pun) pun; pun.value = value; return pun.bits; }

/* a * b - product, exactly, for their rounded product */
static inline REAL NAME(product_error)(REAL a, REAL b, REAL product) {
#if HAS_FMA && REAL_IS_DOUBLE
    return __builtin_fma(a, b, -product);
#elif HAS_FMA
    return __builtin_fmaf(a, b, -product);
#else
    REAL a_high = NAME(from_bits)(NAME(to_bits)(a) & HIGH_HALF), b_high = NAME(from_bits)(NAME(to_bits)(b) & HIGH_HALF);
    REAL a_low = a - a_high, b_low = b - b_high;
    return ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;
#endif
}

/* a - b - difference, exactly, for their rounded difference (Knuth's sum of two) */
static inline REAL NAME(difference_error)(REAL a, REAL b, REAL difference) {
    REAL back = a - difference; /* what of b is in it */
    return (a - (difference + back)) + (back - b);
}

/* (exp(r) - 1 - r) / r**2 for |r| <= log(2) / 2; error 1.5e-9 (float), 1.5e-18 (double) */
static inline REAL NAME(exp_tail)(REAL r) {
#if REAL_IS_DOUBLE
    REAL sum = 2.09147553258932022e-9;
    sum = sum * r + 2.5105312729622101787e-8;
    sum = sum * r + 2.7557273478718580474e-7;
    sum = sum * r + 2.7557255170000887438e-6;
    sum = sum * r + 0.0000248015873256774619;
    sum = sum * r + 0.00019841269875002278793;
    sum = sum * r + 0.0013888888888883711167;
    sum = sum * r + 0.0083333333333260831202;
    sum = sum * r + 0.041666666666666669783;
    sum = sum * r + 0.1666666666666667103;
    return sum * r + 0.5;
#else
    REAL sum = 0.00019891080463998842f;
    sum = sum * r + 0.0013933730715792083f;
    sum = sum * r + 0.0083333108446478626f;
    sum = sum * r + 0.0416664641974056923f;
    sum = sum * r + 0.16666666681704215f;
    return sum * r + 0.5f;
#endif
}

/* exp(x) and exp(x) - 1 for x <= 0; 0 and -1 below EXP_LOWEST. Error 1.5 u (exp), 2 u (its difference from 1). */
static inline REAL NAME(exp_below_0)(REAL x, REAL *minus_one) {
    REAL clipped = x < EXP_LOWEST ? EXP_LOWEST : x;
    REAL shifted = clipped * (REAL)1.4426950408889634 + ROUNDER;
    REAL n = shifted - ROUNDER;
    REAL r = (clipped - n * LN2_HIGH) - n * LN2_LOW;
    REAL scale = NAME(from_bits)((NAME(to_bits)(shifted) + BIAS) << MANTISSA);
    REAL less_one = r + r * r * NAME(exp_tail)(r); /* exp(r) - 1 */
    scale = x < EXP_LOWEST ? 0 : scale;
    *minus_one = (scale - 1) + scale * less_one;
    return scale + scale * less_one;
}

static inline REAL NAME(exp_of)(REAL x) { REAL unused; return NAME(exp_below_0)(x, &unused); }

/* log(1 + t) for 0 <= t <= 1 as 2 atanh(t / (2 + t)); error 3 u */
static inline REAL NAME(log1p_to_1)(REAL t) {
    REAL s = t / (2 + t);
    REAL z = s * s;
#if REAL_IS_DOUBLE
    REAL sum = 0.074694142429899235094;
    sum = sum * z + 0.026417061140686356043;
    sum = sum * z + 0.046159721366841237431;
    sum = sum * z + 0.04728581603605742337;
    sum = sum * z + 0.052659189060199418365;
    sum = sum * z + 0.058821970513368846939;
    sum = sum * z + 0.066666726616529892489;
    sum = sum * z + 0.076923075383545863738;
    sum = sum * z + 0.090909090934402781283;
    sum = sum * z + 0.1111111111108639435;
    sum = sum * z + 0.14285714285714410906;
    sum = sum * z + 0.19999999999999999751;
    sum = sum * z + 0.33333333333333333333;
#else
    REAL sum = 0.11612164612014674f;
    sum = sum * z + 0.10853287900440186f;
    sum = sum * z + 0.14296178997151419f;
    sum = sum * z + 0.19999853165964859f;
    sum = sum * z + 0.33333333660263706f;
#endif
    return 2 * (s + s * z * sum);
}

/* log(x) for normal x > 0; error 3 u; `rest` is what the last rounding has lost of it */
static inline REAL NAME(log_and_rest)(REAL x, REAL *rest) {
    BITS bits = NAME(to_bits)(x);
    /* x = 2**n m with m in [sqrt(1/2), sqrt(2)): what the bits have above those of sqrt(1/2) are n and m */
    BITS below = bits - NAME(to_bits)((REAL)0.70710678118654752);
    int32_t n = (int32_t)((SIGNED_BITS)below >> MANTISSA);
    REAL m = NAME(from_bits)(bits - ((BITS)n << MANTISSA));
    REAL s = (m - 1) / (m + 1);
    REAL z = s * s;
#if REAL_IS_DOUBLE
    REAL sum = 0.065433788334760356335;
    sum = sum * z + 0.06634380281018362715;
    sum = sum * z + 0.076931200862239184491;
    sum = sum * z + 0.090908978157491218016;
    sum = sum * z + 0.11111111195897363755;
    sum = sum * z + 0.14285714285401627672;
    sum = sum * z + 0.20000000000000438782;
    sum = sum * z + 0.33333333333333333232;
#else
    REAL sum = 0.11665287164536214f;
    sum = sum * z + 0.14275408439688008f;
    sum = sum * z + 0.20000060937253334f;
    sum = sum * z + 0.333333332772273305f;
#endif
    REAL log_m = 2 * (s + s * z * sum);
    REAL high = (REAL)n * LN2_HIGH, low = (REAL)n * LN2_LOW + log_m;
    REAL result = high + low;
    *rest = (high - result) + low;
    return x == x ? result : x;
}

static inline REAL NAME(log_of)(REAL x) { REAL unused; return NAME(log_and_rest)(x, &unused); }
