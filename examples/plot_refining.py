"""
Refining an old model
=====================

A model that is in use was trained on the log loss, long ago. It can go on with the focal loss on newer data: ``fit(X,
y, init_model=old)`` keeps its trees and starts from its margins. Is that as good as to train anew? Here on the calls of
a bank, in time: an old model, newer calls to refine it on, and the newest as the test.
"""

# %%
# Seven tenths of the calls are old, the next 15 % are new, the last 15 % are what is still to come.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.metrics import average_precision_score, log_loss

from skfocal import FocalLGBMClassifier
from skfocal.datasets import load_bank_marketing

X, y = load_bank_marketing(return_X_y=True)
old, new, test = np.split(np.arange(len(y)), [int(0.7 * len(y)), int(0.85 * len(y))])
for name, calls in {"old": old, "new": new, "test": test}.items():
    print(f"{name:5}{len(calls):7} calls, {y[calls].mean():6.1%} subscribe")

# %%
# ``init_model`` takes the model of LightGBM's own class as it is. Its margins are log-odds, which the focal link reads
# as surer than they are: the new trees have to mend that too.

settings = {"n_estimators": 100, "n_jobs": 1, "verbose": -1}
old_model = LGBMClassifier(**settings).fit(X.iloc[old], y[old])
refined = FocalLGBMClassifier(**settings).fit(X.iloc[new], y[new], init_model=old_model)
anew = FocalLGBMClassifier(**settings).fit(X.iloc[new], y[new])
both = np.concatenate([old, new])
from_all = FocalLGBMClassifier(**settings).fit(X.iloc[both], y[both])

# %%
# Each model after some of its rounds; of the refined one the first hundred trees are the old ones.

rounds = np.arange(5, 101, 5)
test_calls = X.iloc[test]
proba = {
    "the old model as it is": [old_model.predict_proba(test_calls)] * len(rounds),
    "refined on the new calls": [refined.predict_proba(test_calls, num_iteration=100 + k) for k in rounds],
    "new calls alone": [anew.predict_proba(test_calls, num_iteration=k) for k in rounds],
    "all calls, from the beginning": [from_all.predict_proba(test_calls, num_iteration=k) for k in rounds],
}
losses = pd.DataFrame({name: [log_loss(y[test], p) for p in each] for name, each in proba.items()}, index=rounds)
precision = {name: average_precision_score(y[test], each[-1][:, 1]) for name, each in proba.items()}
table = pd.DataFrame({"log loss": losses.iloc[-1], "AP": precision})
print(table.to_string(float_format="{:.3f}".format))

# %%

figure, ax = plt.subplots(figsize=(8, 4.5), layout="constrained")
where = {"the old model as it is": (70, 5), "refined on the new calls": (15, 8), "new calls alone": (70, -14)}
where |= {"all calls, from the beginning": (70, -14)}
for i, name in enumerate(losses):
    ax.plot(rounds, losses[name], color=f"C{i}")
    at, above = where[name]
    ax.annotate(name, (at, losses.loc[at, name]), (4, above), textcoords="offset points", color=f"C{i}")
ax.margins(y=0.1)
ax.set(xlabel="Rounds of training", ylabel="Log loss of the newest calls")
ax.set_title("An old model, refined, and trained anew")
figure.savefig("refining.png", dpi=120)

# %%
# **What is seen:** a hundred rounds on newer calls take back more than half of what the old model has lost against one
# that is trained anew on all calls, which is about as much as to train on the newer calls alone, and ranks no better.
