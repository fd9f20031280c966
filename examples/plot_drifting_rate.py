"""
A rate that drifts
==================

A model is trained where few are positive; later there are more. If the classes look as before and only their shares
have moved, `estimate_prior` finds the new share from unlabelled data and `correct_prior` takes the probabilities there.
If the classes themselves have changed it cannot, and here is how that looks: calls of a bank, of which at first 3 % are
a success and at last 46 %.
"""

# %%
# First what the method supposes: nothing moves but the share. All calls are split at random, and from the half that is
# not trained on samples are drawn with more and more subscribers. A sample has 5,000 calls.

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from skfocal import FocalLGBMClassifier, correct_prior, estimate_prior
from skfocal.datasets import load_bank_marketing

X, y = load_bank_marketing(return_X_y=True)
settings = {"n_jobs": 1, "random_state": 0, "verbose": -1}
X_train, X_rest, y_train, y_rest = train_test_split(X, y.to_numpy(), test_size=0.5, random_state=0)
model = FocalLGBMClassifier(**settings).fit(X_train, y_train)
counts = np.bincount(y_train)
rng = np.random.default_rng(0)
rows = []
for share in (0.05, 0.1, 0.2, 0.3, 0.4, 0.5):
    n_drawn = np.array([5000 - int(5000 * share), int(5000 * share)])
    drawn = np.concatenate([rng.choice(np.flatnonzero(y_rest == label), n) for label, n in enumerate(n_drawn)])
    posterior = model.predict_proba(X_rest.iloc[drawn])
    now = estimate_prior(posterior, training_prior=counts, n_bootstrap=50, random_state=0)
    corrected = correct_prior(posterior, training_prior=counts, prior=now.prior)
    rows.append([share, posterior[:, 1].mean(), now.prior[1], now.low[1], now.high[1]])
    rows[-1] += [log_loss(y_rest[drawn], each) for each in (posterior, corrected)]
columns = ["true share", "mean of the model", "estimate", "low", "high", "log loss", "log loss, corrected"]
only_the_share = pd.DataFrame(rows, columns=columns)
print(only_the_share.to_string(index=False, float_format="{:.3f}".format))

# %%
# Now the calls as they came: the first three fifths train, then each batch of a thousand is judged before its labels
# are known. Beside the estimate from unlabelled calls stands the plain one: the share of the thousand before.
# `estimate_prior` warns where it cannot tell; here the warnings are counted.

y = y.to_numpy()
n_old = int(0.6 * len(y))
model = FocalLGBMClassifier(**settings).fit(X[:n_old], y[:n_old])
counts = np.bincount(y[:n_old])
rows = []
for start in range(n_old, len(y) - 1000, 1000):
    batch, before = slice(start, start + 1000), slice(start - 1000, start)
    posterior = model.predict_proba(X[batch])
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        now = estimate_prior(posterior, training_prior=counts, n_bootstrap=0)
    known = [1 - y[before].mean(), y[before].mean()]
    by_estimate, by_known = (correct_prior(posterior, training_prior=counts, prior=p) for p in (now.prior, known))
    rows.append([start, y[batch].mean(), posterior[:, 1].mean(), now.prior[1], by_known[:, 1].mean(), len(warned)])
    rows[-1] += [log_loss(y[batch], each) for each in (posterior, by_estimate, by_known)]
columns = ["call", "true share", "model", "estimate", "before", "warnings"]
columns += ["log loss", "by estimate", "by calls before"]
as_they_came = pd.DataFrame(rows, columns=columns)
print(as_they_came.to_string(index=False, float_format="{:.3f}".format))
print(f"Mean log loss: {as_they_came[columns[-3:]].mean().round(3).to_dict()}")

# %%

figure, (left, right) = plt.subplots(1, 2, figsize=(8.6, 4.4), sharey=True, layout="constrained")
share = only_the_share["true share"]
left.plot(share, share, "k:")
left.plot(share, only_the_share["mean of the model"], "C1")
left.plot(share, only_the_share["estimate"], "C0")
left.fill_between(share, only_the_share["low"], only_the_share["high"], color="C0", alpha=0.2, linewidth=0)
left.text(0.32, 0.38, "true share", ha="right")
left.text(0.34, 0.26, "estimate", color="C0")
left.text(0.5, 0.13, "mean of the model", color="C1", ha="right")
left.set(xlabel="Share of subscribers in the sample", ylabel="Share of subscribers", title="Only the share moves")
left.xaxis.set_major_formatter("{x:.0%}")
left.yaxis.set_major_formatter("{x:.0%}")
calls = as_they_came["call"] / 1000
styles = {"true share": "k:", "model": "C1", "estimate": "C0", "before": "C2"}  # the first three as on the left
for name, style in styles.items():
    right.plot(calls, as_they_came[name], style)
right.text(0.03, 0.29, "by the calls\nbefore", color="C2", transform=right.transAxes)
right.set(xlabel="Call, in thousands", title="The calls as they came", ylim=(0, 1.03))
figure.savefig("drifting_rate.png", dpi=120)

# %%
# **What is seen:** where only the share of subscribers moves the estimate follows it, from unlabelled calls alone,
# where the mean of the model does not; on the calls as they came, whose classes no longer look as in training, it is
# useless and says so for some of the batches only, while the share of the thousand calls before, though late, lowers
# the log loss.
