"""What docs/theory.md states beyond the formulas of tests/test_losses.py, in mpmath, and of what the losses compute."""

import re
from pathlib import Path

import numpy as np
import pytest
from mpmath import mp, mpf

from skfocal.losses import BinaryFocalLoss
from skfocal.losses.formulas import log_link
from skfocal.objectives import FocalObjective

from .strategies import WAYS, computed_by
from .mpmath_reference import DIGITS, mp_derivatives, mp_softmax

GAMMAS = [0.0, 0.25, 0.5, 1.0, 2.0, 5.0]
U = [mpf(v) / 4 for v in range(-80, 81) if v]
PAGE = (Path(__file__).resolve().parents[1] / "docs" / "theory.md").read_text(encoding="utf-8")
SENTENCES = " ".join(PAGE.split())
ROWS = re.findall(r"^\| ([\d.]+) \| (-\d\S+) \| (\S+) \| (\S+) % \|$", PAGE, flags=re.MULTILINE)
ROOTS = [tuple(map(float, row)) for row in ROWS]
COUNTS = re.findall(r"^\| ([\d.]+)" + r" \| (\d\.\d\d)" * 4 + r" \|$", PAGE, flags=re.MULTILINE)
TESTS = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))


@pytest.fixture(autouse=True)
def digits():
    with mp.workdps(DIGITS):
        yield


def sigmoids(u):
    return 1 / (1 + mp.exp(-u)), 1 / (1 + mp.exp(u))


def excess(u):
    """Return m, which makes A(p) = q**gamma (1 + gamma m)."""
    p, q = sigmoids(u)
    return -p * mp.log(p) / q


def weight(u, gamma):
    """Return A(p), as the paper on the link has it."""
    p, q = sigmoids(u)
    return q**gamma - gamma * p * q ** (gamma - 1) * mp.log(p)


def link(u, gamma, mix=0):
    return mp.log(sigmoids(u)[0] / ((1 - mix) * weight(u, gamma) + mix))


@pytest.mark.parametrize("gamma", GAMMAS)
def test_the_weight_of_a_sample(gamma):
    """A is q**gamma (1 + gamma m), with p <= m < 1 and the slopes that are stated; right samples lose weight."""
    gamma = mpf(gamma)
    for u in U:
        p, q = sigmoids(u)
        m, A = excess(u), weight(u, gamma)
        assert p <= m < 1
        assert mp.almosteq(A, q**gamma * (1 + gamma * m), 1e-40)
        assert gamma == 0 or q**gamma < A < (1 + gamma) * q**gamma
        assert mp.almosteq(mp.diff(excess, u), m - p, 1e-20)
        slope = -gamma * p + gamma * (m - p) / (1 + gamma * m)
        assert mp.almosteq(mp.diff(lambda x: mp.log(weight(x, gamma)), u), slope, 1e-20, 1e-25)
        assert u < 0 or slope <= 0
    far = mpf(-40)
    p, _ = sigmoids(far)
    assert gamma == 0 or mp.almosteq((weight(far, gamma) - 1) / (gamma * p * (-far - 1)), 1, 1e-10)


@pytest.mark.parametrize(("gamma", "most", "at"), [(1.0, 1.14, 0.14), (2.0, 1.22, 0.10)])
def test_the_most_that_a_sample_weighs(gamma, most, at):
    p = np.linspace(0.001, 0.999, 999)
    u = np.log(p / (1 - p))
    A = -BinaryFocalLoss(gamma).gradient(np.ones(len(u)), u) / (1 - p)
    assert f"{most} at $\\gamma = {gamma:g}$ (at $p = {at:.2f}$)" in SENTENCES
    assert (A.max().round(2), p[A.argmax()].round(2)) == (most, at)


@pytest.mark.parametrize(("gamma", "root", "p", "share"), ROOTS)
def test_the_exact_hessian_has_one_root(gamma, root, p, share):
    """Where the page says; and the focal intercept of the share that it says is there."""
    loss = BinaryFocalLoss(gamma)
    u = np.linspace(-30, 30, 60001)
    hessian = loss.hessian(np.ones(len(u)), u)
    assert (hessian[u < root - 0.0006] < 0).all()
    assert (hessian[u > root + 0.0006] > 0).all()
    assert 1 / (1 + np.exp(-root)) == pytest.approx(p, abs=1e-4)
    assert 100 * loss.predict_proba([root])[0, 1] == pytest.approx(share, rel=0.03)


def test_the_page_has_its_tables_and_names_tests_that_there_are():
    assert [row[0] for row in ROOTS] == [0.25, 0.5, 1, 2, 3, 5]
    assert [row[0] for row in COUNTS] == ["0.5", "1", "2", "3", "5"]
    named = set(re.findall(r"\b(test_\w+)`", PAGE))
    assert len(named) > 25
    assert [name for name in named if f"def {name}(" not in TESTS] == []


def test_the_quadratic_touches_the_log_loss_and_lies_above():
    def log_loss(u):
        return mp.log1p(mp.exp(-u))

    for start in U[::7]:
        curvature = mp.tanh(abs(start) / 2) / (2 * abs(start))
        p, q = sigmoids(start)
        assert curvature > p * q
        for u in U:
            above = log_loss(start) - q * (u - start) + curvature / 2 * (u - start) ** 2 - log_loss(u)
            assert above > 0 or (abs(u) == abs(start) and abs(above) < mpf(10) ** -50)  # on the other side, too


@pytest.mark.parametrize("mix", [0.0, 0.3])
@pytest.mark.parametrize("gamma", GAMMAS)
def test_right_samples_have_the_exact_hessian(gamma, mix):
    loss, u = BinaryFocalLoss(gamma, None, mix), np.linspace(0, 200, 2001)
    stable = loss.gradient_hessian(np.ones(len(u)), u, hessian="stable")[1]
    np.testing.assert_allclose(stable, loss.hessian(np.ones(len(u)), u), rtol=1e-14)


@pytest.mark.parametrize(("gamma", "u", "p"), [(2, -1.70, 0.154), (1, -1.32, 0.211)])
def test_where_the_bound_takes_over(gamma, u, p):
    assert f"at $\\gamma = {gamma}$ down to $u = {u:.2f}$, $p = {p}$" in SENTENCES
    loss, z = BinaryFocalLoss(gamma), [u - 0.01, u + 0.01]
    ratio = loss.gradient_hessian([1, 1], z, hessian="stable")[1] / loss.hessian([1, 1], z)
    assert ratio[0] > 1.0001
    assert ratio[1] == pytest.approx(1, abs=1e-14)
    assert 1 / (1 + np.exp(-u)) == pytest.approx(p, abs=2e-3)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("gamma", GAMMAS)
def test_a_leaf_steps_no_farther_than_its_samples(gamma, way):
    """What engines sum up: weighted, and rounded to float32."""
    rng = np.random.default_rng(0)
    objective = FocalObjective(BinaryFocalLoss(gamma), n_jobs=1)
    for scale in (0.1, 1.0, 5.0, 30.0):
        y, z, w = rng.integers(2, size=(300, 20)), rng.normal(scale=scale, size=(300, 20)), rng.uniform(0, 5, (300, 20))
        with computed_by(way):
            gradient, hessian = objective(y.ravel(), z.ravel(), w.ravel())
        G, H = (values.reshape(y.shape).sum(axis=1, dtype=np.float64) for values in (gradient, hessian))
        u = np.where(y == 1, z, -z)
        longest = np.where(u >= 0, 2.0, 2 * np.abs(u) / -np.expm1(-np.abs(u)))
        assert (np.abs(G) / H <= longest.max(axis=1) * (1 + 1e-5)).all()


@pytest.mark.parametrize("mix", [0.0, 0.3])
@pytest.mark.parametrize("gamma", GAMMAS)
def test_the_link_rises(gamma, mix):
    """By q + gamma p - ..., so by more than gamma p; far out by 1 + gamma; with a mix it ends at -log mix."""
    exact, c = mpf(gamma), mpf(mix)
    for u in U:
        p, q = sigmoids(u)
        m = excess(u)
        rise = q + exact * p - exact * (m - p) / (1 + exact * m)
        assert rise > exact * p
        slope = mp.diff(lambda x: link(x, exact, c), u)
        assert mp.almosteq(slope, rise, 1e-20) if mix == 0 else slope > 0
        assert float(log_link(np.array(float(u)), gamma, mix)) == pytest.approx(
            float(link(u, exact, c)), rel=1e-12, abs=1e-12
        )
    if mix == 0:
        z = np.array([50.0, 60.0])
        against = BinaryFocalLoss(gamma).predict_proba(z)[:, 0]
        np.testing.assert_allclose(-np.log(against), (1 + gamma) * z - np.log1p(gamma), rtol=1e-12)
    else:
        assert log_link(np.array(700.0), gamma, mix) == pytest.approx(0 if gamma == 0 else -np.log(mix), abs=1e-12)


def log_odds(z, gamma):
    return link(z, gamma) - link(-z, gamma)


def least_loss(eta, gamma):
    """Return the expected loss at the best margin for a posterior."""
    start = BinaryFocalLoss(float(gamma)).intercept([float(1 - eta), float(eta)])
    z = mp.findroot(lambda z: log_odds(z, gamma) - mp.log(eta / (1 - eta)), start)
    p, q = sigmoids(z)
    return -eta * q**gamma * mp.log(p) - (1 - eta) * p**gamma * mp.log(q)


@pytest.mark.parametrize("row", COUNTS, ids=lambda row: row[0])
def test_how_much_each_probability_counts(row):
    """Minus the second derivative of the least expected loss, relative to the log loss: by numbers and by formula."""
    gamma, *stated = map(mpf, row)
    for eta, expected in zip((0.001, 0.01, 0.1, 0.5), stated, strict=True):
        counts = -mp.diff(lambda x: least_loss(x, gamma), mpf(eta), 2) * eta * (1 - mpf(eta))
        z = mpf(BinaryFocalLoss(float(gamma)).intercept([1 - eta, eta]))
        p, q = sigmoids(z)
        slope = mp.diff(lambda x: log_odds(x, gamma), z)
        assert mp.almosteq(counts, (q * weight(z, gamma) + p * weight(-z, gamma)) / slope, 1e-10)
        assert abs(counts * (1 + gamma) - expected) < 0.0051


@pytest.mark.parametrize("gamma", GAMMAS)
def test_both_forms_of_the_diagonal(gamma):
    """That of the chain rule, through u and the shares among the other classes, and the usual one."""
    gamma = mpf(gamma)
    for z in np.random.default_rng(0).normal(scale=3, size=(10, 4)).tolist():
        ps, qs = mp_softmax([mpf(v) for v in z])
        for y in range(4):
            _, usual, _ = mp_derivatives([mpf(v) for v in z], y, gamma, mpf(0))
            p, q = ps[y], qs[y]
            slope = -q * (q**gamma - gamma * p * q ** (gamma - 1) * mp.log(p))
            curvature = p * q**gamma * (q * (1 + 2 * gamma + gamma * mp.log(p)) - gamma**2 * p * mp.log(p))
            for k, r in enumerate(v / q for v in ps):
                chained = curvature if k == y else curvature * r**2 - slope * r * (1 - r)
                assert mp.almosteq(chained, usual[k], 1e-40)
