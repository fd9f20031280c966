"""
Several classes, some of them rare
==================================

The focal loss of several classes is that of the softmax, with one gamma for all classes or one for each. Here
scikit-learn's handwritten digits, made imbalanced by ourselves: of the digits 1, 8 and 9 all but eight each are taken
out of the training data. The test has all of its digits, some ninety of each.
"""

# %%
# Which digits are thinned out is our choice, and nothing that is found in nature.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss, recall_score
from sklearn.model_selection import train_test_split

from skfocal import FocalLGBMClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
rare = [1, 8, 9]
kept = np.concatenate([np.flatnonzero(y_train == digit)[: 8 if digit in rare else None] for digit in range(10)])
X_train, y_train = X_train[kept], y_train[kept]
print(f"In training: {np.bincount(y_train).tolist()}; in the test: {np.bincount(y_test).tolist()}")

# %%
# A gamma for each class lets only the frequent ones go: what is rare keeps its full weight. ``class_weight`` is another
# way.

by_class = {digit: 0.0 if digit in rare else 2.0 for digit in range(10)}
parameters = {
    "log loss": {"focal_gamma": 0.0},
    "γ = 2 for all": {"focal_gamma": 2.0},
    "γ = 2, but 0 for the rare": {"focal_gamma": by_class},
    "log loss, balanced weights": {"focal_gamma": 0.0, "class_weight": "balanced"},
}
rows = {}
for name, each in parameters.items():
    model = FocalLGBMClassifier(**each, n_estimators=60, n_jobs=1, random_state=0, verbose=-1).fit(X_train, y_train)
    recall = recall_score(y_test, model.predict(X_test), average=None)
    frequent = np.delete(recall, rare).mean()
    rows[name] = [*recall[rare], recall[rare].mean(), frequent, log_loss(y_test, model.predict_proba(X_test))]
columns = [*(f"digit {digit}" for digit in rare), "of the rare", "of the others", "log loss"]
table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
print("Recall, and the log loss:", table.to_string(float_format="{:.3f}".format), sep="\n")

# %%
# The bars are standard errors: the test has some ninety of each digit.

figure, ax = plt.subplots(figsize=(8, 4.2), layout="constrained")
shown = table.drop(columns=["log loss", "of the others"])
n_test = np.array([*np.bincount(y_test)[rare], np.bincount(y_test)[rare].sum()])
for i, (name, recall) in enumerate(shown.iterrows()):
    error = np.sqrt(recall * (1 - recall) / n_test)
    ax.bar(np.arange(4) + 0.2 * i, recall, 0.18, yerr=error, label=name, color=f"C{i}", error_kw={"alpha": 0.5})
ax.set_xticks(np.arange(4) + 0.3, [*shown.columns[:3], "all three"])
ax.yaxis.set_major_formatter("{x:.0%}")
ax.set(ylabel="Recall in the test", ylim=(0, 1.18), title="Eight examples of each in training: how many are found")
ax.legend(loc="upper center", ncols=2, frameon=False)
figure.savefig("several_classes.png", dpi=120)

# %%
# **What is seen:** one gamma for all classes finds fewer of the rare digits than the log loss; a gamma that lets only
# the frequent ones go finds more of them, about as many as balanced weights do, and has less log loss than without.
