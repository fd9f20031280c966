/* The focal loss of one margin u by which the true class leads: what skfocal/losses/formulas.py says, with its names.
 *
 * Included once for each REAL, after elementary.h.
 */

typedef struct {
    REAL p, q, log_p, log_q, log_q_low, t, less_one; /* t = exp(-|u|), less_one = t - 1 */
} NAME(Sigmoids);

static inline NAME(Sigmoids) NAME(sigmoids)(REAL u, REAL u_low) {
    NAME(Sigmoids) s;
    REAL away = u < 0 ? u : -u;
    s.t = NAME(exp_below_0)(away, &s.less_one);
    s.t += s.t * (u < 0 ? u_low : -u_low);
    REAL softplus = NAME(log1p_to_1)(s.t);
    REAL more = 1 / (1 + s.t), less = s.t * more;
    s.log_p = (u < 0 ? u : 0) - softplus;
    REAL least = u < 0 ? 0 : -u;
    s.log_q = least - softplus;
    s.log_q_low = ((least - s.log_q) - softplus) - (u < 0 ? s.t : 1) * u_low;
    s.p = u < 0 ? less : more;
    s.q = u < 0 ? more : less;
    return s;
}

/* (1 - p)**gamma, by a power whose rounding is made up for: gamma log q may be large, and what is lost of it is a
 * relative error of the result. u_low is what u lacks; log_q = low part + rounded sum of -softplus and min(-u, 0). */
static inline REAL NAME(modulation)(const NAME(Sigmoids) *s, REAL gamma) {
    REAL power = gamma * s->log_q;
    REAL lost = NAME(product_error)(gamma, s->log_q, power) + gamma * s->log_q_low;
    REAL rough = NAME(exp_of)(power);
    return rough + rough * lost;
}

static inline REAL NAME(mixed)(REAL focal, REAL other, REAL mix) { return (1 - mix) * focal + mix * other; }

/* The loss, and its derivative by u. */
static inline REAL NAME(loss_slope)(REAL u, REAL u_low, REAL gamma, REAL mix, REAL *slope) {
    NAME(Sigmoids) s = NAME(sigmoids)(u, u_low);
    REAL modulation = NAME(modulation)(&s, gamma);
    REAL pull = modulation * (s.q - gamma * s.p * s.log_p);
    *slope = -NAME(mixed)(pull, s.q, mix);
    return -NAME(mixed)(modulation, 1, mix) * s.log_p;
}

/* Both derivatives by u; the second as "stable" or "exact" has it. */
static inline REAL NAME(slope_curvature)(REAL u, REAL u_low, REAL gamma, REAL mix, int stable, REAL *curvature) {
    NAME(Sigmoids) s = NAME(sigmoids)(u, u_low);
    REAL modulation = NAME(modulation)(&s, gamma);
    REAL gamma_log_p = gamma * s.log_p, gamma_p_log_p = s.p * gamma_log_p;
    REAL pull = NAME(mixed)(modulation * (s.q - gamma_p_log_p), s.q, mix);
    REAL bent = modulation * s.p * (s.q * (gamma_log_p + (1 + 2 * gamma)) - gamma * gamma_p_log_p);
    bent = NAME(mixed)(bent, s.p * s.q, mix);
    if (stable) {
        REAL away = u < 0 ? u : -u;
        REAL ratio = s.less_one / (2 * (away - SMALLEST)); /* 1/2 at u = 0 */
        ratio = pull * (ratio < s.p ? s.p : ratio);
        bent = bent < ratio ? ratio : bent;
    }
    *curvature = bent;
    return -pull;
}

/* log(p / A(p)) */
static inline REAL NAME(log_link)(REAL u, REAL gamma, REAL mix) {
    NAME(Sigmoids) s = NAME(sigmoids)(u, 0);
    REAL t = s.t + SMALLEST;
    REAL m = u < 0 ? -t * s.log_p : NAME(log1p_to_1)(t) / t;
    REAL w = 1 + gamma * m;
    REAL log_a = gamma * s.log_q + (NAME(log_of)(w) + (gamma * m - (w - 1)) / w);
    if (mix > 0) {
        REAL a = NAME(mixed)(NAME(exp_of)(log_a), 1, mix);
        return s.log_p - NAME(log_of)(a);
    }
    return s.log_p - log_a;
}
