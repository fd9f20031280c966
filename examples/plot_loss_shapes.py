"""
Shapes of the loss, and one that does not go flat
=================================================

With gamma = 2 the focal loss is all but flat for a sample whose class has a probability above 0.75 or so. That is its
purpose: what is classified well has little say. Where too much has too little say, ``focal_mix`` keeps a share of the
log loss, which does not go flat. Here the shapes, and what they come to on real card transactions.
"""

# %%
# Three losses of a sample, all as functions of the probability that the sigmoid gives its true class.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.special import expit

from skfocal import BinaryFocalLoss, FocalLGBMClassifier
from skfocal.datasets import load_creditcard
from skfocal.inspection import FocalLossDisplay

losses = {
    "log loss": BinaryFocalLoss(gamma=0.0),
    "γ = 2": BinaryFocalLoss(gamma=2.0),
    "γ = 2, mix 0.25": BinaryFocalLoss(gamma=2.0, focal_mix=0.25),
}

# %%
# A model of the log loss, on the older four fifths of the transactions, gives the newer ones their margins. What the
# next tree would learn from is their gradient: how much of it is of samples that are classified well already? Sample
# weights count: a legitimate transaction stands for twenty.

cards = load_creditcard()
X, y, weight = cards.data, cards.target, cards.sample_weight
train, new = slice(11_766), slice(11_766, None)
model = FocalLGBMClassifier(focal_gamma=0.0, n_jobs=1, random_state=0, verbose=-1)
model.fit(X[train], y[train], sample_weight=weight[train])
margin = model.decision_function(X[new])
true_class = expit(np.where(y[new] == 1, margin, -margin))

parts = {
    "below 0.25": true_class < 0.25,
    "0.25 to 0.75": np.abs(true_class - 0.5) <= 0.25,
    "above 0.75": true_class > 0.75,
}
rows = {}
for name, loss in losses.items():
    pull = weight[new] * np.abs(loss.gradient(y[new], margin))
    rows[name] = {"loss at 0.75": loss.loss([1], [np.log(3.0)])[0]}
    rows[name] |= {f"gradient, {part}": pull[rows_of].sum() / pull.sum() for part, rows_of in parts.items()}
table = pd.DataFrame.from_dict(rows, orient="index")
print(f"{np.average(true_class > 0.75, weights=weight[new]):.2%} of the transactions are above 0.75.")
print(table.T.to_string(float_format="{:.3f}".format))

# %%

figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 4), layout="constrained")
left.set(xlim=(0.3, 1.0), ylim=(0, 1.0), title="The loss of one sample")
display = FocalLossDisplay.from_losses(losses, quantities=["loss"], ax=left)
left.axvspan(0.75, 1.0, color="0.5", alpha=0.12, linewidth=0)
shares = table.drop(columns="loss at 0.75")
for i, (line, (_, share)) in enumerate(zip(display.axes_[0].get_lines(), shares.iterrows(), strict=True)):
    bars = right.bar(np.arange(3) + 0.28 * i, share, 0.26, color=line.get_color())
    right.bar_label(bars, [f"{value:.0%}" for value in share], fontsize="small")
right.axvspan(1.72, 2.84, color="0.5", alpha=0.12, linewidth=0)
right.set_xticks(np.arange(3) + 0.28, parts)
right.yaxis.set_major_formatter("{x:.0%}")
right.set(
    xlabel="sigmoid(margin) of the true class", ylabel="Share of the gradient", title="Who has the say, on card fraud"
)
right.margins(y=0.1)
figure.savefig("loss_shapes.png", dpi=120)

# %%
# **What is seen:** all but a few transactions are classified well; on the log loss they have a third of the say, at
# gamma = 2 next to none, and a mix with a quarter of the log loss, which does not go flat, gives some of it back.
