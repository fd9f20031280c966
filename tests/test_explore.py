"""The interactive page computes what Python does: its scripts, in a browser, against our losses and against loops."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import expit

from skfocal.datasets import load_creditcard
from skfocal.losses import BinaryFocalLoss

from .programs import run

SCRIPTS = Path(__file__).resolve().parents[1] / "docs" / "_static" / "explore"
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium here: the scripts of the page are for browsers")

MARGINS = [-40.0, -6.0, -1.5, -1e-12, 0.0, 0.3, 2.0, 8.0, 40.0]
PARAMETERS = [(0.0, 0.0), (0.5, 0.0), (2.0, 0.0), (2.0, 0.3), (5.0, 1.0), (1.0, 0.05)]
COSTS = [(120.0, 5.0, False), (10.0, 50.0, False), (1.0, 5.0, True), (1.0, 0.5, True)]
BUDGETS = [10, 100, 1000, 10000]


def dom_of(html, folder):
    """Return what a browser makes of a page, opened from a file, once its scripts have run."""
    page = folder / "page.html"
    page.write_text(f'<!doctype html><meta charset="utf-8">{html}', encoding="utf-8")
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", page.as_uri()]
    return run(*command, timeout=120).stdout


@pytest.fixture(scope="module")
def in_browser(tmp_path_factory):
    """Return a function that evaluates JavaScript after the page's scripts."""
    names = ("focal.js", "alerts.js", "scores.js")
    scripts = "".join(f'<script src="{(SCRIPTS / name).as_uri()}"></script>' for name in names)

    def evaluate(expression):
        result = f'<script>document.getElementById("result").textContent = JSON.stringify({expression});</script>'
        dom = dom_of(f'{scripts}<pre id="result"></pre>{result}', tmp_path_factory.mktemp("page"))
        return json.loads(dom.partition('id="result">')[2].partition("</pre>")[0])

    return evaluate


def test_losses_links_and_starts(in_browser):
    found = in_browser(
        f"{json.dumps(PARAMETERS)}.map(([gamma, mix]) => ({{"
        f"values: {MARGINS}.map((u) => [Focal.loss(u, gamma, mix), -Focal.pull(u, gamma, mix), "
        "Focal.hessian(u, gamma, mix), Focal.stableHessian(u, gamma, mix), Focal.posterior(u, gamma, mix)]),"
        "starts: [0.0001, 0.002, 0.5].flatMap((prior) => [0.25, 0.5].map("
        "(alpha) => Focal.start(prior, alpha, gamma, mix)))"
        "}))"
    )
    u, ones = np.array(MARGINS), np.ones(len(MARGINS))
    for (gamma, mix), of_these in zip(PARAMETERS, found, strict=True):
        loss = BinaryFocalLoss(gamma, focal_mix=mix)
        gradient, stable = loss.gradient_hessian(ones, u, hessian="stable")
        expected = [loss.loss(ones, u), gradient, loss.hessian(ones, u), stable, loss.predict_proba(u)[:, 1]]
        assert_allclose(of_these["values"], np.stack(expected, axis=1), rtol=1e-10, atol=1e-300)
        starts = [
            BinaryFocalLoss(gamma, alpha, mix).intercept([1 - prior, prior])
            for prior in (0.0001, 0.002, 0.5)
            for alpha in (0.25, 0.5)
        ]
        assert_allclose(of_these["starts"], starts, rtol=1e-9, atol=1e-9)


def test_the_scores_are_of_the_shipped_data(in_browser):
    scores = in_browser("SCORES")
    cards = load_creditcard()
    test = slice(int(0.8 * len(cards.target)), None)
    assert_allclose(scores["amount"], cards.data[test, -1], atol=0.0051)
    assert_allclose(scores["weight"], cards.sample_weight[test])
    assert scores["fraud"] == np.flatnonzero(cards.target[test]).tolist()
    assert_allclose(scores["days"], np.ptp(cards.data[test, 0]) / 86400, atol=1e-4)
    probability = np.array(scores["probability"])
    assert ((probability > 0) & (probability <= 1)).all()  # as rounded
    is_fraud = cards.target[test] == 1
    mean = np.average(probability, weights=cards.sample_weight[test])
    assert mean == pytest.approx(np.average(is_fraud, weights=cards.sample_weight[test]), rel=0.3)


def test_alerts_and_what_they_save(in_browser):
    decided = in_browser(
        "((rows) => "
        f"{json.dumps(COSTS)}.map(([miss, alarm, byAmount]) => {BUDGETS}.map((budget) => "
        "Alerts.decide(Alerts.curve(rows, SCORES.days, { miss, alarm, byAmount }), budget))))"
        "(SCORES.probability.map((probability, i) => ({ probability, amount: SCORES.amount[i], "
        "weight: SCORES.weight[i], fraud: SCORES.fraud.includes(i) })))"
    )
    scores = in_browser("SCORES")
    p, amount, weight = (np.array(scores[name]) for name in ("probability", "amount", "weight"))
    fraud = np.isin(np.arange(len(p)), scores["fraud"])
    for (miss, alarm, by_amount), of_budgets in zip(COSTS, decided, strict=True):
        lost = amount * miss if by_amount else np.full(len(p), miss)
        gain = p * lost - (1 - p) * alarm
        for budget, found in zip(BUDGETS, of_budgets, strict=True):
            alerts = []
            for row in np.argsort(-gain, kind="stable"):
                if gain[row] <= 0 or weight[[*alerts, row]].sum() / scores["days"] > budget:
                    break
                alerts.append(row)
            if not alerts:
                assert found is None
                continue
            saved = np.sum(weight[alerts] * np.where(fraud[alerts], lost[alerts], -alarm)) / scores["days"]
            assert_allclose(found["alerts"], weight[alerts].sum() / scores["days"], rtol=1e-9)
            assert_allclose(found["found"], weight[alerts][fraud[alerts]].sum() / weight[fraud].sum(), rtol=1e-9)
            assert_allclose(found["saved"], saved, rtol=1e-9, atol=1e-6)


def test_the_page_says_where_training_starts(tmp_path):
    source = (SCRIPTS.parents[1] / "explore.md").read_text(encoding="utf-8")
    html = "".join(re.findall(r"```\{raw\} html\n(.*?)```", source, flags=re.DOTALL))
    dom = dom_of(html.replace("_static/explore", SCRIPTS.as_uri()), tmp_path)
    start = BinaryFocalLoss(2.0).intercept([0.998, 0.002])
    said = dict(re.findall(r'<th scope="row">(.*?)</th><td>(.*?)</td>', dom))
    assert said["Margin that training starts from, with 0.2 % positives"] == f"{start:.4g}"
    assert said["What the focal link makes of it"] == "0.2 %"
    assert said["What the sigmoid would make of it"] == f"{100 * expit(start):.3g} %"
    assert said["Frauds caught"].endswith("of 75 in the test, 80 %")
    assert dom.count('role="img"') == dom.count("<svg data-panel") == 6
    assert dom.count('aria-valuetext="') == dom.count('type="range"') == 7
