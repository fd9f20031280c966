/* The focal loss of a block of margins u by which the true classes lead: what skfocal/losses/formulas.py says, with its
 * names.
 *
 * Each step is a loop of its own. What one sample goes through is a long chain in which every operation waits for the one
 * before; in short loops those of many samples overlap in the processor, and take two thirds of the time.
 *
 * Included once for each REAL, after elementary.h.
 */

typedef struct {
    REAL p[BLOCK], q[BLOCK], log_p[BLOCK], log_q[BLOCK], log_q_low[BLOCK];
    REAL t[BLOCK], less_one[BLOCK]; /* t = exp(-|u|), less_one = t - 1 */
} NAME(Sigmoids);

/* u_low is what u lacks; log_q_low what log_q, the rounded sum of -softplus and min(-u, 0), lacks. */
static inline void NAME(sigmoids)(const REAL *restrict u, const REAL *restrict u_low, NAME(Sigmoids) *restrict s) {
    for (ptrdiff_t i = 0; i < BLOCK; i++) {
        REAL t = NAME(exp_below_0)(u[i] < 0 ? u[i] : -u[i], &s->less_one[i]);
        s->t[i] = t + t * (u[i] < 0 ? u_low[i] : -u_low[i]);
    }
    for (ptrdiff_t i = 0; i < BLOCK; i++) {
        REAL t = s->t[i], softplus = NAME(log1p_to_1)(t);
        REAL more = 1 / (1 + t), less = t * more;
        REAL least = u[i] < 0 ? 0 : -u[i], log_q = least - softplus;
        s->log_p[i] = (u[i] < 0 ? u[i] : 0) - softplus;
        s->log_q[i] = log_q;
        s->log_q_low[i] = ((least - log_q) - softplus) - (u[i] < 0 ? t : 1) * u_low[i];
        s->p[i] = u[i] < 0 ? less : more;
        s->q[i] = u[i] < 0 ? more : less;
    }
}

/* (1 - p)**gamma, by a power whose rounding is made up for: gamma log q may be large, and what is lost of it is a
 * relative error of the result. */
static inline void NAME(modulations)(const NAME(Sigmoids) *restrict s, const REAL *restrict gamma, REAL *restrict modulation) {
    for (ptrdiff_t i = 0; i < BLOCK; i++) {
        REAL power = gamma[i] * s->log_q[i];
        REAL lost = NAME(product_error)(gamma[i], s->log_q[i], power) + gamma[i] * s->log_q_low[i];
        REAL rough = NAME(exp_of)(power);
        modulation[i] = rough + rough * lost;
    }
}

static inline REAL NAME(mixed)(REAL focal, REAL other, REAL mix) { return (1 - mix) * focal + mix * other; }

/* The losses, and their derivatives by u. */
static inline void NAME(losses_slopes)(const REAL *restrict u, const REAL *restrict u_low, const REAL *restrict gamma,
                                       REAL mix, REAL *restrict loss, REAL *restrict slope) {
    NAME(Sigmoids) s;
    REAL modulation[BLOCK];
    NAME(sigmoids)(u, u_low, &s);
    NAME(modulations)(&s, gamma, modulation);
    for (ptrdiff_t i = 0; i < BLOCK; i++) {
        REAL pull = modulation[i] * (s.q[i] - gamma[i] * s.p[i] * s.log_p[i]);
        slope[i] = -NAME(mixed)(pull, s.q[i], mix);
        loss[i] = -NAME(mixed)(modulation[i], 1, mix) * s.log_p[i];
    }
}

/* Both derivatives by u; the second as "stable" or "exact" has it. */
static inline void NAME(slopes_curvatures)(const REAL *restrict u, const REAL *restrict u_low, const REAL *restrict gamma,
                                           REAL mix, int stable, REAL *restrict slope, REAL *restrict curvature) {
    NAME(Sigmoids) s;
    REAL modulation[BLOCK];
    NAME(sigmoids)(u, u_low, &s);
    NAME(modulations)(&s, gamma, modulation);
    for (ptrdiff_t i = 0; i < BLOCK; i++) {
        REAL p = s.p[i], q = s.q[i], gamma_log_p = gamma[i] * s.log_p[i], gamma_p_log_p = p * gamma_log_p;
        REAL pull = NAME(mixed)(modulation[i] * (q - gamma_p_log_p), q, mix);
        REAL bent = modulation[i] * p * (q * (gamma_log_p + (1 + 2 * gamma[i])) - gamma[i] * gamma_p_log_p);
        bent = NAME(mixed)(bent, p * q, mix);
        if (stable) {
            REAL away = u[i] < 0 ? u[i] : -u[i];
            REAL ratio = s.less_one[i] / (2 * (away - SMALLEST)); /* 1/2 at u = 0 */
            ratio = pull * (ratio < p ? p : ratio);
            bent = bent < ratio ? ratio : bent;
        }
        slope[i] = -pull;
        curvature[i] = bent;
    }
}
