"""The textbook formulas of losses and links in mpmath, and where ours are compared with them."""

import numpy as np
from mpmath import mp, mpf

GAMMAS = (0.0, 0.25, 0.5, 1.0, 2.0, 5.0)
# gamma and the share of the log loss; the last leaves next to none, where the focal loss vanishes first
MIXED = [*((gamma, 0.0) for gamma in GAMMAS), (0.5, 0.3), (2.0, 0.1), (2.0, 1.0), (5.0, 1e-9)]
# 50 digits are right at the end: 1 - p is summed from the other classes, so nothing cancels.
DIGITS = 60
Z = np.unique(
    np.concatenate([s * np.array([0, 1e-8, 0.1, 0.5, 1, 2.2, 2.8, 5, 14.5, 36, 88, 300, 700]) for s in (1, -1)])
)
TOLERANCE = {np.float64: 1e-12, np.float32: 1e-5}
DTYPES = [np.float64, np.float32]


def some_margins(dtype):
    rng = np.random.default_rng(0)
    scales = np.array([0.1, 1, 10, 100, 350])[:, None]
    extreme = [[700, -700, 0], [-700, 700, 0], [0, 700, 699.5], [-300, -300, 5], [700, 700, 700]]
    return np.concatenate([rng.uniform(-2, 2, size=(5, 3)) * scales, extreme]).astype(dtype)


def mp_softmax(z):
    """Return p and 1 - p of K margins."""
    e = [mp.exp(v) for v in z]
    return [v / sum(e) for v in e], [sum(e[:k] + e[k + 1 :]) / sum(e) for k in range(len(z))]


def mp_log_p(p, q):
    return -mp.log1p(q / p)


def mp_loss(z, y, gamma, mix):
    """Return the textbook focal loss of K margins, mixed with the log loss."""
    p, q = mp_softmax(z)
    return -((1 - mix) * q[y] ** gamma + mix) * mp_log_p(p[y], q[y])


def mp_derivatives(z, y, gamma, mix):
    """Return the textbook gradient, the diagonal of the Hessian, and the largest term of each of its entries.

    Gradient A (p_k - delta_ky), Hessian A p_k (1 - p_k) - A' p_y (p_k - delta_ky)**2; test_reference checks them.
    """
    ps, qs = mp_softmax(z)
    p, q = ps[y], qs[y]
    log_p = mp_log_p(p, q)
    A = [(1 - mix) * q**gamma, -(1 - mix) * gamma * p * q ** (gamma - 1) * log_p, mix]
    dA = [-gamma * q ** (gamma - 1) * (log_p + 2), gamma * (gamma - 1) * q ** (gamma - 2) * p * log_p]
    gradient, hessian, largest = [], [], []
    for k in range(len(z)):
        difference = -q if k == y else ps[k]
        terms = [a * ps[k] * qs[k] for a in A] + [-(1 - mix) * a * p * difference**2 for a in dA]
        gradient.append(sum(A) * difference)
        hessian.append(sum(terms))
        largest.append(max(map(abs, [*terms, gamma * q ** (gamma - 1) * p * difference**2 * log_p])))
    return gradient, hessian, largest


def mp_reference(z, y, gamma, mix):
    """Return loss, gradient, Hessian and the Hessian's largest terms for rows of K margins."""
    with mp.workdps(DIGITS):
        rows = [[mpf(float(v)) for v in row] for row in z]
        loss = [mp_loss(row, y, gamma, mpf(mix)) for row in rows]
        derivatives = zip(*(mp_derivatives(row, y, gamma, mpf(mix)) for row in rows), strict=True)
        return [np.array(result, dtype=np.float64) for result in (loss, *map(list, derivatives))]


def mp_posterior(z, gammas, mix):
    """Return the focal link by its textbook formula: eta_k proportional to p_k / A_k(p_k)."""
    weights = []
    for p, q, g in zip(*mp_softmax(z), gammas, strict=True):
        weights.append(p / ((1 - mix) * (q**g - g * p * q ** (g - 1) * mp_log_p(p, q)) + mix))
    return [w / sum(weights) for w in weights]


def assert_close(actual, expected, tolerance, scale=None):
    """Assert relative closeness; where the numbers are too small for the type, to its smallest normal number."""
    tiny = np.finfo(actual.dtype).tiny
    bound = tolerance * np.maximum(np.abs(expected), 0 if scale is None else scale)
    error = np.abs(actual.astype(np.float64) - expected)
    worst = np.argmax(error - np.maximum(bound, tiny))
    assert (error <= np.maximum(bound, tiny)).all(), (actual.flat[worst], np.asarray(expected).flat[worst])
