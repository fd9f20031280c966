/* From margins in memory to results in memory, a block of samples at a time. Included once for each REAL.
 *
 * A block is always computed whole (posteriors: as many whole vectors as have samples), its rest with zeros, so that a
 * sample goes through the same instructions wherever it stands, and gives the same bits for any number of threads.
 */

/* Copy margin k of a block of samples, plus its intercept; 0 for those beyond the last. */
static inline void NAME(read)(const Task *task, ptrdiff_t first, ptrdiff_t n, ptrdiff_t k, REAL *restrict z) {
    const char *from = task->raw.data + first * task->raw.sample + k * task->raw.margin;
    ptrdiff_t step = task->raw.sample;
    double intercept = task->intercept ? task->intercept[k] : 0.0;
    if (task->raw.is_double && step == sizeof(double))
        for (ptrdiff_t i = 0; i < n; i++) z[i] = (REAL)(((const double *)from)[i] + intercept);
    else if (task->raw.is_double)
        for (ptrdiff_t i = 0; i < n; i++) z[i] = (REAL)(*(const double *)(from + i * step) + intercept);
    else if (step == sizeof(float) && intercept == 0)
        for (ptrdiff_t i = 0; i < n; i++) z[i] = (REAL)((const float *)from)[i];
    else
        for (ptrdiff_t i = 0; i < n; i++) z[i] = (REAL)(*(const float *)(from + i * step) + intercept);
    for (ptrdiff_t i = n; i < BLOCK; i++) z[i] = 0;
#if REAL_IS_DOUBLE /* finite, so that differences are numbers: the link of 1e300 is that of infinity, 0 or 1 */
    for (ptrdiff_t i = 0; i < BLOCK; i++) {
        z[i] = z[i] > 1e300 ? 1e300 : z[i];
        z[i] = z[i] < -1e300 ? -1e300 : z[i];
    }
#endif
}

static inline void NAME(write)(const Margins *to, ptrdiff_t first, ptrdiff_t n, ptrdiff_t k, const REAL *restrict values) {
    char *at = to->data + first * to->sample + k * to->margin;
    ptrdiff_t step = to->sample;
    if (to->is_double)
        for (ptrdiff_t i = 0; i < n; i++) *(double *)(at + i * step) = values[i];
    else if (step == sizeof(float))
        for (ptrdiff_t i = 0; i < n; i++) ((float *)at)[i] = (float)values[i];
    else
        for (ptrdiff_t i = 0; i < n; i++) *(float *)(at + i * step) = (float)values[i];
}

/* Write a few margins that lie side by side as one: what takes time is the number of stores. */
static inline void NAME(write_beside)(const Margins *to, ptrdiff_t first, ptrdiff_t n, ptrdiff_t k, ptrdiff_t width,
                                      const REAL *restrict values) {
    char *at = to->data + first * to->sample + k * to->margin;
    float rows[4 * BLOCK];
    for (ptrdiff_t i = 0; i < BLOCK; i++)
        for (ptrdiff_t j = 0; j < width; j++) rows[width * i + j] = (float)values[j * BLOCK + i];
    for (ptrdiff_t i = 0; i < n; i++) memcpy(at + i * to->sample, rows + width * i, (size_t)width * sizeof(float));
}

/* Write a block of each margin. */
static inline void NAME(write_all)(const Margins *to, ptrdiff_t first, ptrdiff_t n, ptrdiff_t n_margins, const REAL *values) {
    int beside = !to->is_double && to->margin == sizeof(float);
    ptrdiff_t k = 0;
    for (; beside && k + 4 <= n_margins; k += 4) NAME(write_beside)(to, first, n, k, 4, values + k * BLOCK);
    for (; beside && k + 2 <= n_margins; k += 2) NAME(write_beside)(to, first, n, k, 2, values + k * BLOCK);
    for (; k < n_margins; k++) NAME(write)(to, first, n, k, values + k * BLOCK);
}

/* What a block has of each sample beside its margins. */
typedef struct {
    REAL gamma[BLOCK], weight[BLOCK];
    int32_t codes[BLOCK];
} NAME(Truth);

static inline void NAME(read_truth)(const Task *task, ptrdiff_t first, ptrdiff_t n, NAME(Truth) *restrict truth) {
    const int32_t *codes = task->codes + first;
    const REAL *weight = task->weight;
    for (ptrdiff_t i = 0; i < n; i++) truth->codes[i] = codes[i];
    for (ptrdiff_t i = n; i < BLOCK; i++) truth->codes[i] = 0;
    if (task->n_classes == 2) {
        REAL negative = (REAL)task->gamma[0], positive = (REAL)task->gamma[1];
        for (ptrdiff_t i = 0; i < BLOCK; i++) truth->gamma[i] = truth->codes[i] ? positive : negative;
    } else
        for (ptrdiff_t i = 0; i < BLOCK; i++) truth->gamma[i] = (REAL)task->gamma[truth->codes[i]];
    if (!weight) n = 0;
    for (ptrdiff_t i = 0; i < n; i++) truth->weight[i] = weight[first + i];
    for (ptrdiff_t i = n; i < BLOCK; i++) truth->weight[i] = 1;
}

/* Round to 21 of a float's 24 bits, for the reason of `_rounded` in objectives.py; doubles are not. */
static inline REAL NAME(round_to_21_bits)(REAL value) {
#if REAL_IS_DOUBLE
    return value;
#else
    return NAME(from_bits)((NAME(to_bits)(value) + 4) & ~(BITS)7);
#endif
}

static inline REAL NAME(finished)(const Task *task, REAL value, REAL weight) {
    return (task->rounded ? NAME(round_to_21_bits)(value) : value) * weight;
}

/* Find the best margin of the other classes, and the own one, among those of class k. */
static inline void NAME(compare)(const REAL *restrict z, const int32_t *restrict codes, int32_t k, REAL *restrict own,
                                 REAL *restrict best) {
    for (ptrdiff_t i = 0; i < BLOCK; i++) {
        REAL other = z[i] <= best[i] ? best[i] : z[i];
        best[i] = codes[i] == k ? best[i] : other;
        own[i] = codes[i] == k ? z[i] : own[i];
    }
}

/* Make of margins of class k its odds against the best of the others, 0 for the own class; count those that are 1, and
 * sum up the rest. */
static inline void NAME(to_odds)(REAL *restrict z, const int32_t *restrict codes, int32_t k, const REAL *restrict best,
                                 REAL *restrict n_best, REAL *restrict rest, REAL *restrict rest_low) {
    for (ptrdiff_t i = 0; i < BLOCK; i++) {
        REAL lead = z[i] - best[i];
        REAL odds = NAME(exp_of)(lead);
        odds += odds * NAME(difference_error)(z[i], best[i], lead);
        odds = codes[i] == k ? 0 : odds;
        n_best[i] += odds == 1 ? (REAL)1 : (REAL)0;
        REAL other = odds == 1 ? 0 : odds, sum = rest[i] + other;
        rest_low[i] += (rest[i] - sum) + other;
        rest[i] = sum;
        z[i] = odds;
    }
}

/* Several classes: u as `MulticlassFocalLoss._lead` has it; in `odds` a block for each class. */
static inline void NAME(lead)(const Task *task, ptrdiff_t first, ptrdiff_t n, const int32_t *codes, REAL *odds,
                              REAL *restrict u, REAL *restrict u_low, REAL *restrict n_best, REAL *restrict rest) {
    REAL best[BLOCK], own[BLOCK], rest_low[BLOCK];
    for (ptrdiff_t i = 0; i < BLOCK; i++) best[i] = -INFINITY, own[i] = n_best[i] = rest[i] = rest_low[i] = 0;
    for (int32_t k = 0; k < task->n_margins; k++) {
        NAME(read)(task, first, n, k, odds + k * BLOCK);
        NAME(compare)(odds + k * BLOCK, codes, k, own, best);
    }
    for (int32_t k = 0; k < task->n_margins; k++)
        NAME(to_odds)(odds + k * BLOCK, codes, k, best, n_best, rest, rest_low);
    for (ptrdiff_t i = 0; i < BLOCK; i++) {
        REAL total = n_best[i] + rest[i], total_low = ((n_best[i] - total) + rest[i]) + rest_low[i];
        REAL lost, others = NAME(log_and_rest)(total, &lost), lead = own[i] - best[i];
        u[i] = lead - others;
        u_low[i] = NAME(difference_error)(own[i], best[i], lead) + NAME(difference_error)(lead, others, u[i]) - (lost + total_low / total);
    }
}

static inline void NAME(two_classes)(const Task *task, ptrdiff_t first, ptrdiff_t n, int stable) {
    NAME(Truth) truth;
    REAL u[BLOCK], u_low[BLOCK], slope[BLOCK], curvature[BLOCK];
    REAL factor = (REAL)task->factor, floor = (REAL)task->floor;
    NAME(read_truth)(task, first, n, &truth);
    NAME(read)(task, first, n, 0, u);
    for (ptrdiff_t i = 0; i < BLOCK; i++) u[i] = truth.codes[i] ? u[i] : -u[i], u_low[i] = 0;
    NAME(slopes_curvatures)(u, u_low, truth.gamma, (REAL)task->mix, stable, slope, curvature);
    for (ptrdiff_t i = 0; i < BLOCK; i++) {
        REAL bent = curvature[i] * factor;
        slope[i] = NAME(finished)(task, truth.codes[i] ? slope[i] : -slope[i], truth.weight[i]);
        curvature[i] = NAME(finished)(task, bent < floor ? floor : bent, truth.weight[i]);
    }
    NAME(write)(&task->gradient, first, n, 0, slope);
    NAME(write)(&task->hessian, first, n, 0, curvature);
}

/* Two blocks a class in scratch, of which the first are called odds. */
static inline void NAME(several_classes)(const Task *task, ptrdiff_t first, ptrdiff_t n, int stable, REAL *odds) {
    NAME(Truth) truth;
    REAL u[BLOCK], u_low[BLOCK], n_best[BLOCK], rest[BLOCK], slope[BLOCK], curvature[BLOCK];
    REAL *hessians = odds + task->n_margins * BLOCK, factor = (REAL)task->factor, floor = (REAL)task->floor;
    NAME(read_truth)(task, first, n, &truth);
    NAME(lead)(task, first, n, truth.codes, odds, u, u_low, n_best, rest);
    NAME(slopes_curvatures)(u, u_low, truth.gamma, (REAL)task->mix, stable, slope, curvature);
    for (ptrdiff_t k = 0; k < task->n_margins; k++) {
        REAL *restrict odd = odds + k * BLOCK, *restrict hessian = hessians + k * BLOCK; /* odds become gradients */
        for (ptrdiff_t i = 0; i < BLOCK; i++) {
            int is_own = truth.codes[i] == k;
            REAL total = n_best[i] + rest[i], share = odd[i] / total;
            /* 1 - share, which would cancel where share is close to 1: see MulticlassFocalLoss._diagonal */
            REAL complement = (rest[i] + (n_best[i] - odd[i])) / total;
            REAL bent = share * (curvature[i] * share - slope[i] * complement);
            bent = factor * (is_own ? curvature[i] : bent);
            odd[i] = NAME(finished)(task, slope[i] * (is_own ? 1 : -share), truth.weight[i]);
            hessian[i] = NAME(finished)(task, bent < floor ? floor : bent, truth.weight[i]);
        }
    }
    NAME(write_all)(&task->gradient, first, n, task->n_margins, odds);
    NAME(write_all)(&task->hessian, first, n, task->n_margins, hessians);
}

static void NAME(derivatives)(const Task *task, ptrdiff_t first, ptrdiff_t last, void *scratch) {
    for (; first < last; first += BLOCK) {
        ptrdiff_t n = last - first < BLOCK ? last - first : BLOCK;
        if (task->n_margins > 1)
            if (task->stable) NAME(several_classes)(task, first, n, 1, scratch);
            else NAME(several_classes)(task, first, n, 0, scratch);
        else if (task->stable) NAME(two_classes)(task, first, n, 1);
        else NAME(two_classes)(task, first, n, 0);
    }
}

/* The margin by which the true class leads, and for several classes the shares of the others in scratch. */
static void NAME(losses)(const Task *task, ptrdiff_t first, ptrdiff_t last, void *scratch) {
    REAL *odds = scratch;
    for (; first < last; first += BLOCK) {
        ptrdiff_t n = last - first < BLOCK ? last - first : BLOCK;
        NAME(Truth) truth;
        REAL u[BLOCK], u_low[BLOCK], n_best[BLOCK], rest[BLOCK], loss[BLOCK], slope[BLOCK];
        NAME(read_truth)(task, first, n, &truth);
        if (task->n_margins > 1) {
            NAME(lead)(task, first, n, truth.codes, odds, u, u_low, n_best, rest);
        } else {
            NAME(read)(task, first, n, 0, u);
            for (ptrdiff_t i = 0; i < BLOCK; i++) u[i] = truth.codes[i] ? u[i] : -u[i], u_low[i] = 0;
        }
        NAME(losses_slopes)(u, u_low, truth.gamma, (REAL)task->mix, loss, slope);
        for (ptrdiff_t i = 0; i < BLOCK; i++) loss[i] *= truth.weight[i], slope[i] *= truth.weight[i];
        NAME(write)(&task->loss, first, n, 0, loss);
        if (!task->gradient.data) continue;
        if (task->n_margins == 1) {
            for (ptrdiff_t i = 0; i < BLOCK; i++) slope[i] = truth.codes[i] ? slope[i] : -slope[i];
            NAME(write)(&task->gradient, first, n, 0, slope);
            continue;
        }
        for (int32_t k = 0; k < task->n_margins; k++) {
            REAL *gradient = odds + k * BLOCK;
            for (ptrdiff_t i = 0; i < BLOCK; i++)
                gradient[i] = slope[i] * (truth.codes[i] == k ? 1 : -gradient[i] / (n_best[i] + rest[i]));
        }
        NAME(write_all)(&task->gradient, first, n, task->n_margins, odds);
    }
}
