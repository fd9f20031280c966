"""
SMOTE and friends against the focal loss
========================================

Two remedies for rare classes: a sampler evens the classes out before training, the focal loss lets easy samples go in
training. Here both, each alone, and neither, on real card fraud: LightGBM's trees with the same settings, so that only
the loss and the sampler differ.
"""

# %%
# SMOTE makes samples that have no weight, so all models are trained without weights: on 3.5 % frauds. The test, the
# newest fifth, has its weights.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from imblearn.over_sampling import SMOTE, BorderlineSMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.metrics import average_precision_score, log_loss

from skfocal import FocalLGBMClassifier
from skfocal.datasets import load_creditcard

cards = load_creditcard()
X, y, weight = cards.data, cards.target, cards.sample_weight
train, new = slice(11_766), slice(11_766, None)
losses = {"log loss": 0.0, "focal loss": 2.0}
samplers = {
    "no sampler": "passthrough",
    "SMOTE": SMOTE(random_state=0),
    "BorderlineSMOTE": BorderlineSMOTE(random_state=0),
    "RandomOverSampler": RandomOverSampler(random_state=0),
    "RandomUnderSampler": RandomUnderSampler(random_state=0),
}

# %%
# The test holds 75 frauds. How much that leaves to chance is told by drawing its transactions anew, with replacement,
# a hundred times: the same draws for all models.

rng = np.random.default_rng(0)
n_new = len(y[new])
draws = [rng.integers(n_new, size=n_new) for _ in range(100)]


def score(metric, proba):
    """Return a metric on the test, and the middle 95 % of what it is on the draws."""
    drawn = [metric(y[new][rows], proba[rows], sample_weight=weight[new][rows]) for rows in draws]
    return metric(y[new], proba, sample_weight=weight[new]), *np.quantile(drawn, [0.025, 0.975])


rows = {}
for sampler_name, sampler in samplers.items():
    for loss_name, gamma in losses.items():
        model = make_pipeline(sampler, FocalLGBMClassifier(focal_gamma=gamma, n_jobs=1, random_state=0, verbose=-1))
        fraud = model.fit(X[train], y[train]).predict_proba(X[new])[:, 1]
        rows[f"{sampler_name}, {loss_name}"] = score(average_precision_score, fraud) + score(log_loss, fraud)
columns = ["AP", "AP from", "AP to", "log loss", "log loss from", "log loss to"]
table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
print(table.to_string(float_format="{:.3f}".format))

# %%

figure, axes = plt.subplots(1, 2, figsize=(8, 4.2), sharey=True, layout="constrained")
place = np.arange(len(samplers))
for loss_name, colour, shift in zip(losses, ["C1", "C0"], [-0.13, 0.13], strict=True):
    shown = table.loc[[f"{sampler_name}, {loss_name}" for sampler_name in samplers]]
    for ax, metric in zip(axes, ["AP", "log loss"], strict=True):
        ends = np.abs(shown[[f"{metric} from", f"{metric} to"]].to_numpy() - shown[[metric]].to_numpy()).T
        ax.errorbar(shown[metric], place + shift, xerr=ends, fmt="o", color=colour, capsize=2)
    axes[1].annotate(loss_name, (shown["log loss to"].iloc[0], shift), (6, 0), textcoords="offset points", va="center",
                     color=colour)  # fmt: skip
axes[0].set_yticks(place, samplers)
axes[0].set(xlabel="Average precision (more is better)", title="Ranking", ylim=(len(samplers) - 0.5, -0.5))
axes[1].set(xlabel="Log loss (less is better)", title="Probabilities", xscale="log")
axes[1].set_xticks([0.003, 0.01, 0.03], ["0.003", "0.01", "0.03"])
axes[1].set_xticks([], minor=True)
figure.savefig("samplers.png", dpi=120)

# %%
# **What is seen:** which of them ranks best is within the noise of 75 frauds, with a sampler or without, on either
# loss; the probabilities are best without a sampler, and worst after RandomUnderSampler.
