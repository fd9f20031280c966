"""
Why this client: explaining with categories
===========================================

What has moved a model for a client, and by how much? LightGBM's trees add up, so the margin is a sum of contributions,
one a feature (SHAP values), categories as they are, without one-hot columns. The engine computes them itself: no other
package is needed.
"""

# %%
# Whether a client subscribes a term deposit, after a call of a bank.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from skfocal import FocalLGBMClassifier
from skfocal.datasets import load_bank_marketing

X, y = load_bank_marketing(return_X_y=True)
rng = np.random.default_rng(0)
shuffled = rng.permutation(len(y))
train, test = shuffled[:30_000], shuffled[-5_000:]
model = FocalLGBMClassifier(n_jobs=1, random_state=0, verbose=-1).fit(X.iloc[train], y[train])

# %%
# A column for each feature, and a last one for where all begin: they add up to the margin, of which the focal link
# makes the probability. Above 0 speaks for a subscription.

parts = model.predict_proba(X.iloc[test], pred_contrib=True)
margin = model.decision_function(X.iloc[test])
print(f"Largest difference of the sum to the margin: {np.abs(parts.sum(axis=1) - margin).max():.0e}")
contributions = pd.DataFrame(parts[:, :-1], columns=X.columns)
size = contributions.abs().mean().sort_values(ascending=False).head(8)
print("Mean size of a contribution:", size.to_string(float_format="{:.3f}".format), sep="\n")
by_month = contributions["month"].groupby(X.iloc[test]["month"].to_numpy()).agg(["mean", "min", "max", "size"])
by_month = by_month.sort_values("mean")
print("Contribution of the month:", by_month.to_string(float_format="{:.2f}".format), sep="\n")

# %%
# The bars on the right go from the least to the greatest contribution of a month: how much the rest of a client's
# features changes what the month says.

figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 4), layout="constrained")
is_category = X.dtypes[size.index] == "category"
left.barh(size.index, size, color=np.where(is_category, "C0", "0.6"))
left.invert_yaxis()
left.text(0.97, 0.05, "categories", color="C0", ha="right", transform=left.transAxes, weight="bold")
left.text(0.97, 0.12, "numbers", color="0.45", ha="right", transform=left.transAxes, weight="bold")
left.set(xlabel="Mean size of the contribution", title="Which features move the model")
ends = np.abs(by_month[["min", "max"]].to_numpy() - by_month[["mean"]].to_numpy()).T
right.axvline(0, color="grey", linestyle=":")
right.errorbar(by_month["mean"], by_month.index, xerr=ends, fmt="o", color="C0", capsize=2)
right.set(xlabel="Contribution to the margin", title="What a month says")
figure.savefig("explaining.png", dpi=120)

# %%
# **What is seen:** the state of the economy and the month move this model more than anything about the client, October
# and March for a subscription and May against it; that is what the model has learnt from calls of one bank in two and a
# half years, not why clients subscribe.
