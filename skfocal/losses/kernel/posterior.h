/* Posterior probabilities through the focal link, in double; after blocks.h. */

/* How much of a block of n samples is computed: not all of it for a row, and no less than the longest vector. */
static inline ptrdiff_t whole_vectors(ptrdiff_t n) { return (n + 15) / 16 * 16; }

/* Several classes; 2 blocks a class in scratch. With e = exp(z - top) of the margins, S their sum, and p = e / S,
 *
 *     p / A = e / S ((S - e) / S)**-gamma / (1 + gamma m),   m = e (log S - (z - top)) / (S - e)
 *
 * where S - e, all but the class's own, is 1 or more, but for the class that leads: its others are summed up by
 * themselves, in odds against the second, so that they are not lost far below it. Of a mix of losses A is the sum. */
static inline void several_posteriors(const Task *task, ptrdiff_t first, ptrdiff_t n, int mixes, double *scratch) {
    double *odds = scratch, *powers = scratch + task->n_margins * BLOCK;
    ptrdiff_t width = whole_vectors(n);
    double top[BLOCK], second[BLOCK], t[BLOCK], others[BLOCK], log_others[BLOCK], log_sum[BLOCK];
    double sum[BLOCK], peak[BLOCK], lowest[BLOCK];
    int32_t leading[BLOCK];
    for (ptrdiff_t i = 0; i < width; i++) top[i] = second[i] = peak[i] = -INFINITY, leading[i] = 0, others[i] = sum[i] = 0;
    for (ptrdiff_t i = 0; i < width; i++) lowest[i] = INFINITY;
    for (int32_t k = 0; k < task->n_margins; k++) {
        double *restrict z = powers + k * BLOCK;
        read_double(task, first, n, k, z);
        for (ptrdiff_t i = 0; i < width; i++) {
            int leads = z[i] > top[i];
            double less = leads ? top[i] : z[i];
            second[i] = less > second[i] ? less : second[i];
            leading[i] = leads ? k : leading[i];
            top[i] = leads ? z[i] : top[i];
        }
    }
    for (int32_t k = 0; k < task->n_margins; k++) {
        double *restrict z = powers + k * BLOCK, *restrict odd = odds + k * BLOCK;
        for (ptrdiff_t i = 0; i < width; i++) {
            double against_second = exp_of_double(leading[i] == k ? 0 : z[i] - second[i]);
            odd[i] = leading[i] == k ? 0 : against_second;
            others[i] += odd[i];
            z[i] -= top[i];
        }
    }
    for (ptrdiff_t i = 0; i < width; i++) {
        double lead = top[i] - second[i];
        t[i] = exp_of_double(-lead);
        log_others[i] = log_of_double(others[i]) - lead;
        others[i] *= t[i];
    }
    for (ptrdiff_t i = 0; i < width; i++) {
        double larger = others[i] > 1 ? log_others[i] : 0, odd = others[i] > 1 ? 1 / others[i] : others[i];
        log_sum[i] = larger + log1p_to_1_double(odd);
    }
    for (int32_t k = 0; k < task->n_margins; k++) {
        double *restrict power = powers + k * BLOCK, *restrict odd = odds + k * BLOCK, gamma = task->gamma[k];
        for (ptrdiff_t i = 0; i < width; i++) {
            int leads = leading[i] == k;
            double e = odd[i] * t[i], rest = 1 + (others[i] - e), log_rest = log_of_double(rest);
            double m = leads ? (log_sum[i] + SMALLEST) / (others[i] + SMALLEST) : e * (log_sum[i] - power[i]) / rest;
            double log_modulation = gamma * ((leads ? log_others[i] : log_rest) - log_sum[i]), rise = 1 + gamma * m;
            if (mixes) {
                odd[i] = mixed_double(exp_of_double(log_modulation) * rise, 1, task->mix);
                lowest[i] = odd[i] < lowest[i] ? odd[i] : lowest[i];
            } else {
                odd[i] = rise;
                power[i] -= log_modulation;
            }
            peak[i] = power[i] <= peak[i] ? peak[i] : power[i];
        }
    }
    for (int32_t k = 0; k < task->n_margins; k++) {
        double *restrict power = powers + k * BLOCK, *restrict odd = odds + k * BLOCK;
        for (ptrdiff_t i = 0; i < width; i++) {
            double e = exp_of_double(power[i] - peak[i]);
            sum[i] += power[i] = mixes ? e * (lowest[i] / odd[i]) : e / odd[i]; /* no more than e, however small A is */
        }
    }
    for (int32_t k = 0; k < task->n_margins; k++) {
        double *restrict power = powers + k * BLOCK;
        for (ptrdiff_t i = 0; i < width; i++) power[i] /= sum[i];
        write_double(&task->posterior, first, n, k, power);
    }
}

/* Two classes, of which one leads by |z|. The odds of the other are t = exp(-|z|), and its posterior odds
 *
 *     t**(1 + g) (1 + t)**(g' - g) (1 + g m) / (1 + g' m')
 *
 * with gamma and m as above, g and m of the class that leads, g' and m' of the other; of a mix of losses t A / A', by sums. */
static inline void two_posteriors(const Task *task, ptrdiff_t first, ptrdiff_t n) {
    ptrdiff_t width = whole_vectors(n);
    double z[BLOCK], t[BLOCK], softplus[BLOCK], g[BLOCK], g_other[BLOCK], leads[BLOCK], trails[BLOCK];
    double negative = task->gamma[0], positive = task->gamma[1], mix = task->mix;
    read_double(task, first, n, 0, z);
    for (ptrdiff_t i = 0; i < width; i++) t[i] = exp_of_double(z[i] < 0 ? z[i] : -z[i]);
    for (ptrdiff_t i = 0; i < width; i++) softplus[i] = log1p_to_1_double(t[i]);
    for (ptrdiff_t i = 0; i < width; i++) {
        double size = z[i] < 0 ? -z[i] : z[i];
        g[i] = z[i] < 0 ? negative : positive;
        g_other[i] = z[i] < 0 ? positive : negative;
        leads[i] = 1 + g_other[i] * (t[i] * (size + softplus[i]));
        trails[i] = 1 + g[i] * ((softplus[i] + SMALLEST) / (t[i] + SMALLEST));
    }
    if (mix > 0)
        for (ptrdiff_t i = 0; i < width; i++) {
            double size = z[i] < 0 ? -z[i] : z[i];
            double of_leading = exp_of_double(-g[i] * (size + softplus[i])) * trails[i];
            double of_other = exp_of_double(-g_other[i] * softplus[i]) * leads[i];
            leads[i] = mixed_double(of_other, 1, mix);
            trails[i] = t[i] * mixed_double(of_leading, 1, mix);
        }
    else
        for (ptrdiff_t i = 0; i < width; i++) {
            double size = z[i] < 0 ? -z[i] : z[i];
            double power = (1 + g[i]) * size + (g[i] - g_other[i]) * softplus[i];
            double less = exp_of_double(power < 0 ? power : -power);
            leads[i] *= power < 0 ? less : 1;
            trails[i] *= power < 0 ? 1 : less;
        }
    for (ptrdiff_t i = 0; i < width; i++) {
        double sum = leads[i] + trails[i], leading = leads[i] / sum, trailing = trails[i] / sum;
        leads[i] = z[i] < 0 ? leading : trailing;
        trails[i] = z[i] < 0 ? trailing : leading;
    }
    write_double(&task->posterior, first, n, 0, leads);
    write_double(&task->posterior, first, n, 1, trails);
}

static void posteriors(const Task *task, ptrdiff_t first, ptrdiff_t last, void *scratch) {
    for (; first < last; first += BLOCK) {
        ptrdiff_t n = last - first < BLOCK ? last - first : BLOCK;
        if (task->n_margins > 1)
            if (task->mix > 0) several_posteriors(task, first, n, 1, scratch);
            else several_posteriors(task, first, n, 0, scratch);
        else two_posteriors(task, first, n);
    }
}
