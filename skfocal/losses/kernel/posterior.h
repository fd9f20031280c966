/* Posterior probabilities through the focal link, in double; after blocks.h. */

/* Several classes with a mix of losses, whose A is a sum; 2 blocks a class in scratch. */
static inline void several_mixed_posteriors(const Task *task, ptrdiff_t first, ptrdiff_t n, double *scratch) {
    double *odds = scratch, *logits = scratch + task->n_margins * BLOCK;
    double top[BLOCK], sum[BLOCK], u[BLOCK], u_low[BLOCK], n_best[BLOCK], rest[BLOCK], exact[BLOCK];
    int32_t winner[BLOCK];
    Sigmoids_double s;
    for (ptrdiff_t i = 0; i < BLOCK; i++) exact[i] = 0;
    for (ptrdiff_t i = 0; i < BLOCK; i++) top[i] = -INFINITY, winner[i] = 0, sum[i] = 0;
    for (int32_t k = 0; k < task->n_margins; k++) {
        double *restrict z = logits + k * BLOCK;
        read_double(task, first, n, k, z);
        for (ptrdiff_t i = 0; i < BLOCK; i++) {
            winner[i] = z[i] > top[i] ? k : winner[i];
            top[i] = z[i] <= top[i] ? top[i] : z[i];
        }
    }
    lead_double(task, first, n, winner, odds, u, u_low, n_best, rest);
    for (ptrdiff_t k = 0; k < task->n_margins; k++) {
        double *restrict z = logits + k * BLOCK, *restrict odd = odds + k * BLOCK;
        for (ptrdiff_t i = 0; i < BLOCK; i++) {
            z[i] -= top[i];
            odd[i] = exp_of_double(z[i]);
            sum[i] += odd[i];
        }
    }
    for (ptrdiff_t i = 0; i < BLOCK; i++) top[i] = -INFINITY;
    for (int32_t k = 0; k < task->n_margins; k++) {
        double *restrict z = logits + k * BLOCK, *restrict odd = odds + k * BLOCK;
        for (ptrdiff_t i = 0; i < BLOCK; i++) {
            /* What the others weigh is 1 or more, but for the winner's, whose margin does not come by a difference. */
            double others = winner[i] == k ? 1 : sum[i] - odd[i];
            odd[i] = winner[i] == k ? u[i] : z[i] - log_of_double(others);
        }
        sigmoids_double(odd, exact, &s);
        log_links_double(s.log_p, s.log_q, s.t, task->gamma[k], task->mix, z);
        for (ptrdiff_t i = 0; i < BLOCK; i++) top[i] = z[i] <= top[i] ? top[i] : z[i];
    }
    for (ptrdiff_t i = 0; i < BLOCK; i++) sum[i] = 0;
    for (ptrdiff_t k = 0; k < task->n_margins; k++) {
        double *restrict z = logits + k * BLOCK;
        for (ptrdiff_t i = 0; i < BLOCK; i++) sum[i] += z[i] = exp_of_double(z[i] - top[i]);
    }
    for (ptrdiff_t k = 0; k < task->n_margins; k++) {
        double *restrict z = logits + k * BLOCK;
        for (ptrdiff_t i = 0; i < BLOCK; i++) z[i] /= sum[i];
        write_double(&task->posterior, first, n, k, z);
    }
}

/* Several classes; 2 blocks a class in scratch. With e = exp(z - top) of the margins, S their sum, and p = e / S,
 *
 *     p / A = e / S ((S - e) / S)**-gamma / (1 + gamma m),   m = e (log S - (z - top)) / (S - e)
 *
 * where S - e, all but the class's own, is 1 or more, but for the class that leads: its others are summed up by
 * themselves, in odds against the second, so that they are not lost far below it. */
static inline void several_posteriors(const Task *task, ptrdiff_t first, ptrdiff_t n, double *scratch) {
    double *odds = scratch, *powers = scratch + task->n_margins * BLOCK;
    double top[BLOCK], second[BLOCK], t[BLOCK], others[BLOCK], log_others[BLOCK], log_sum[BLOCK], sum[BLOCK], peak[BLOCK];
    int32_t leading[BLOCK];
    for (ptrdiff_t i = 0; i < BLOCK; i++) top[i] = second[i] = peak[i] = -INFINITY, leading[i] = 0, others[i] = sum[i] = 0;
    for (int32_t k = 0; k < task->n_margins; k++) {
        double *restrict z = powers + k * BLOCK;
        read_double(task, first, n, k, z);
        for (ptrdiff_t i = 0; i < BLOCK; i++) {
            int leads = z[i] > top[i];
            double less = leads ? top[i] : z[i];
            second[i] = less > second[i] ? less : second[i];
            leading[i] = leads ? k : leading[i];
            top[i] = leads ? z[i] : top[i];
        }
    }
    for (int32_t k = 0; k < task->n_margins; k++) {
        double *restrict z = powers + k * BLOCK, *restrict odd = odds + k * BLOCK;
        for (ptrdiff_t i = 0; i < BLOCK; i++) {
            double against_second = exp_of_double(leading[i] == k ? 0 : z[i] - second[i]);
            odd[i] = leading[i] == k ? 0 : against_second;
            others[i] += odd[i];
            z[i] -= top[i];
        }
    }
    for (ptrdiff_t i = 0; i < BLOCK; i++) {
        double lead = top[i] - second[i];
        t[i] = exp_of_double(-lead);
        log_others[i] = log_of_double(others[i]) - lead;
        others[i] *= t[i];
    }
    for (ptrdiff_t i = 0; i < BLOCK; i++) {
        double larger = others[i] > 1 ? log_others[i] : 0, odd = others[i] > 1 ? 1 / others[i] : others[i];
        log_sum[i] = larger + log1p_to_1_double(odd);
    }
    for (int32_t k = 0; k < task->n_margins; k++) {
        double *restrict power = powers + k * BLOCK, *restrict odd = odds + k * BLOCK, gamma = task->gamma[k];
        for (ptrdiff_t i = 0; i < BLOCK; i++) {
            int leads = leading[i] == k;
            double e = odd[i] * t[i], rest = 1 + (others[i] - e), log_rest = log_of_double(rest);
            double m = leads ? (log_sum[i] + SMALLEST) / (others[i] + SMALLEST) : e * (log_sum[i] - power[i]) / rest;
            power[i] -= gamma * ((leads ? log_others[i] : log_rest) - log_sum[i]);
            odd[i] = 1 + gamma * m;
            peak[i] = power[i] <= peak[i] ? peak[i] : power[i];
        }
    }
    for (int32_t k = 0; k < task->n_margins; k++) {
        double *restrict power = powers + k * BLOCK, *restrict odd = odds + k * BLOCK;
        for (ptrdiff_t i = 0; i < BLOCK; i++) sum[i] += power[i] = exp_of_double(power[i] - peak[i]) / odd[i];
    }
    for (int32_t k = 0; k < task->n_margins; k++) {
        double *restrict power = powers + k * BLOCK;
        for (ptrdiff_t i = 0; i < BLOCK; i++) power[i] /= sum[i];
        write_double(&task->posterior, first, n, k, power);
    }
}

/* Two classes with a mix of losses, whose A is a sum. */
static inline void two_mixed_posteriors(const Task *task, ptrdiff_t first, ptrdiff_t n) {
    Sigmoids_double s;
    double z[BLOCK], exact[BLOCK], negative[BLOCK], positive[BLOCK];
    read_double(task, first, n, 0, z);
    for (ptrdiff_t i = 0; i < BLOCK; i++) exact[i] = 0;
    sigmoids_double(z, exact, &s);
    log_links_double(s.log_p, s.log_q, s.t, task->gamma[1], task->mix, positive);
    log_links_double(s.log_q, s.log_p, s.t, task->gamma[0], task->mix, negative);
    for (ptrdiff_t i = 0; i < BLOCK; i++) {
        double log_odds = positive[i] - negative[i];
        double against = exp_of_double(log_odds < 0 ? log_odds : -log_odds); /* odds of the less probable class */
        double more = 1 / (1 + against), less = against * more;
        negative[i] = log_odds < 0 ? more : less;
        positive[i] = log_odds < 0 ? less : more;
    }
    write_double(&task->posterior, first, n, 0, negative);
    write_double(&task->posterior, first, n, 1, positive);
}

/* Two classes, of which one leads by |z|. The odds of the other are t = exp(-|z|), and its posterior odds
 *
 *     t**(1 + g) (1 + t)**(g' - g) (1 + g m) / (1 + g' m')
 *
 * with gamma and m of log_links, g and m of the class that leads, g' and m' of the other. */
static inline void two_posteriors(const Task *task, ptrdiff_t first, ptrdiff_t n) {
    double z[BLOCK], t[BLOCK], softplus[BLOCK], leads[BLOCK], trails[BLOCK], unused;
    double of_negative = task->gamma[0], of_positive = task->gamma[1];
    read_double(task, first, n, 0, z);
    for (ptrdiff_t i = 0; i < BLOCK; i++) t[i] = exp_below_0_double(z[i] < 0 ? z[i] : -z[i], &unused);
    for (ptrdiff_t i = 0; i < BLOCK; i++) softplus[i] = log1p_to_1_double(t[i]);
    for (ptrdiff_t i = 0; i < BLOCK; i++) {
        double size = z[i] < 0 ? -z[i] : z[i];
        double of_leading = z[i] < 0 ? of_negative : of_positive, of_trailing = z[i] < 0 ? of_positive : of_negative;
        double power = (1 + of_leading) * size + (of_leading - of_trailing) * softplus[i];
        double less = exp_of_double(power < 0 ? power : -power);
        leads[i] = (1 + of_trailing * (t[i] * (size + softplus[i]))) * (power < 0 ? less : 1);
        trails[i] = (1 + of_leading * ((softplus[i] + SMALLEST) / (t[i] + SMALLEST))) * (power < 0 ? 1 : less);
    }
    for (ptrdiff_t i = 0; i < BLOCK; i++) {
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
        if (task->n_margins > 1 && task->mix > 0) several_mixed_posteriors(task, first, n, scratch);
        else if (task->n_margins > 1) several_posteriors(task, first, n, scratch);
        else if (task->mix > 0) two_mixed_posteriors(task, first, n);
        else two_posteriors(task, first, n);
    }
}
