"""
Probabilities: the sigmoid and the focal link
=============================================

A model of the focal loss has margins whose sigmoid is no probability: it is drawn towards one half, the more so the
larger gamma is. ``predict_proba`` goes through the focal link instead, the inverse of the loss. Here both, for the same
model of card fraud, against what came true.
"""

# %%
# The newest fifth of the transactions is the test. It holds 75 frauds, so a bin of the picture holds few: the intervals
# say how little that tells.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.metrics import log_loss

from skfocal import FocalLGBMClassifier
from skfocal.datasets import load_creditcard
from skfocal.inspection import ReliabilityDisplay

cards = load_creditcard()
X, y, weight = cards.data, cards.target, cards.sample_weight
train, new = slice(11_766), slice(11_766, None)
model = FocalLGBMClassifier(focal_gamma=2.0, n_jobs=1, verbose=-1)
model.fit(X[train], y[train], sample_weight=weight[train])

# %%
# Two figures say how good probabilities are: their mean, which should be the share of frauds, and the log loss.

proba = {
    "sigmoid of the margin": expit(model.decision_function(X[new])),
    "focal link": model.predict_proba(X[new])[:, 1],
}
rows = {
    name: {
        "mean probability": np.average(fraud, weights=weight[new]),
        "log loss": log_loss(y[new], fraud, sample_weight=weight[new]),
    }
    for name, fraud in proba.items()
}
table = pd.DataFrame.from_dict(rows, orient="index")
share = np.average(y[new], weights=weight[new])
print(f"Share of frauds: {share:.3%}")
print(table.to_string(formatters={"mean probability": "{:.3%}".format, "log loss": "{:.5f}".format}))

# %%

figure, axes = plt.subplots(1, 2, figsize=(9, 4.2), layout="constrained")
display = ReliabilityDisplay.from_estimator(
    model, X[new], y[new], sigmoid=True, name="LightGBM", sample_weight=weight[new], ax=axes
)
bins = pd.DataFrame(display.curves["LightGBM, focal link"]._asdict())
print("Bins of the focal link:", bins.to_string(index=False, float_format="{:.5f}".format), sep="\n")
figure.savefig("reliability_and_link.png", dpi=120)

# %%
# **What is seen:** the sigmoid tells of many times the frauds that there are, and has many times the log loss; the link
# is right in the mean, though where it tells of one fraud in a thousand or less there are more, and above some percent
# so few transactions are left that most bins tell little.
