"""
Is the focal loss a regulariser?
================================

A sample that is classified well pulls less under the focal loss, so it is said to keep a model from being too sure.
Beside it stand the known remedies: penalties (L1, L2), early stopping, and trees on a part of the rows and columns, as
dropout does in networks. How far is each from what it has learnt by heart, and how sure is it of itself?
"""

# %%
# 8,000 of a bank's calls at random train, the other 33,188 are the test. Who subscribes is mostly chance, so large
# trees learn the noise by heart. All models have 200 of LightGBM's trees without our defaults, which regularise too;
# early stopping may take fewer.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from skfocal import FocalLGBMClassifier
from skfocal.datasets import load_bank_marketing

X, y = load_bank_marketing(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, train_size=8000, random_state=0)
bare = {"focal_gamma": 0.0, "n_estimators": 200, "extra_trees": False, "reg_lambda": 0.0}
bare |= {"n_jobs": 1, "random_state": 0, "verbose": -1}
remedies = {
    "log loss, no remedy": {},
    "focal, γ = 2": {"focal_gamma": 2.0},
    "rows and columns": {"subsample": 0.5, "subsample_freq": 1, "colsample_bytree": 0.5},
    "L2": {"reg_lambda": 100.0},
    "L2 and focal": {"reg_lambda": 100.0, "focal_gamma": 2.0},
    "L1": {"reg_alpha": 10.0},
    "early stopping": {"early_stopping_rounds": 20},
}

# %%
# How sure a model is of itself is told by the slope of a logistic regression on the log-odds of its probabilities, on
# the test: 1 is right, less is too sure, more not sure enough. For the focal loss also what the sigmoid would make of
# its margins, in place of the focal link.


def judged(inside, outside):
    """Return the log loss in training and in the test, and the slope."""
    odds = logit(np.clip(outside, 1e-6, 1 - 1e-6))[:, None]
    slope = LogisticRegression(C=np.inf).fit(odds, y_test).coef_[0, 0]
    return [log_loss(y_train, inside), log_loss(y_test, outside), slope]


rows = {}
for name, remedy in remedies.items():
    model = FocalLGBMClassifier(**bare | remedy).fit(X_train, y_train)
    rows[name] = judged(*(model.predict_proba(data)[:, 1] for data in (X_train, X_test)))
    if name == "focal, γ = 2":
        rows["the same, by the sigmoid"] = judged(*(expit(model.decision_function(data)) for data in (X_train, X_test)))
table = pd.DataFrame.from_dict(rows, orient="index", columns=["training", "test", "slope"])
table.insert(2, "gap", table["test"] - table["training"])
print(table.to_string(float_format="{:.3f}".format))

# %%

figure, (left, right) = plt.subplots(1, 2, figsize=(8, 4.2), sharey=True, width_ratios=[3, 2], layout="constrained")
place = np.arange(len(table))
left.hlines(place, table["training"], table["test"], color="C0", alpha=0.4, linewidth=3)
left.plot(table["training"], place, "o", color="C0", markerfacecolor="white")
left.plot(table["test"], place, "o", color="C0")
left.annotate("training", (table["training"].iloc[0], 0), (0, 7), textcoords="offset points", ha="center", color="C0")
left.annotate("test", (table["test"].iloc[0], 0), (0, 7), textcoords="offset points", ha="center", color="C0")
left.margins(x=0.12)
left.set_yticks(place, table.index)
left.set(xlabel="Log loss (less is better)", title="Learnt by heart", ylim=(len(table) - 0.5, -0.8))
right.axvline(1.0, color="grey", linestyle=":")
right.plot(table["slope"], place, "o", color="C1")
right.annotate("right", (1.0, -0.8), (-4, -4), textcoords="offset points", ha="right", va="top", color="grey")
right.set(xlabel="Slope (below 1: too sure)", title="Too sure of itself", xlim=(0, 1.1 * table["slope"].max()))
figure.savefig("regularisation.png", dpi=120)

# %%
# **What is seen:** the focal loss is no regulariser: read through its link it is as far from its training data and as
# sure of itself as the log loss, beside L2 it adds nothing, and read by the sigmoid it is not sure enough and has the
# most log loss of all; L1, L2 and early stopping mend both, and rows and columns alone hardly anything.
