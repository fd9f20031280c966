/* Forget one REAL before the next. */
#undef REAL_IS_DOUBLE
#undef REAL
#undef BITS
#undef SIGNED_BITS
#undef NAME
#undef MANTISSA
#undef BIAS
#undef ROUNDER
#undef LN2_HIGH
#undef LN2_LOW
#undef EXP_LOWEST
#undef SMALLEST
#undef HIGH_HALF
