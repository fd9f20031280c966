"""
Card fraud: the threshold that costs least
==========================================

A fraud that is missed costs much, a false alarm little. With probabilities that can be trusted the best threshold
follows from the two costs alone: an alarm pays from ``alarm / (alarm + missed)`` on. With others it has to be searched
for on data, as `sklearn.model_selection.TunedThresholdClassifierCV` does. Here both are done, for LightGBM and XGBoost
on the focal loss, which stop early on a part of their training data, and beside them the usual threshold of one half.
One table is printed, one picture saved::

    python examples/plot_cost_of_errors.py
    python examples/plot_cost_of_errors.py --missed 500 --alarm 2

The data are the sample of real transactions that ships with skfocal, in time order, the last fifth for the test; sample
weights restore the true share of frauds.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import sklearn
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import confusion_matrix, make_scorer
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV

from skfocal import FocalLGBMClassifier, FocalXGBClassifier
from skfocal.datasets import load_creditcard

# So that cross-validation counts the sample weights too.
sklearn.set_config(enable_metadata_routing=True)


def errors(y, predicted, sample_weight=None):
    """Return how many frauds are missed, and how many alarms are false."""
    (_, false_alarms), (missed, _) = confusion_matrix(y, predicted, sample_weight=sample_weight)
    return missed, false_alarms


def make_saving(missed_cost, alarm_cost):
    """Return a scorer in scikit-learn's manner: greater is better, so the cost with a minus sign."""

    def saving(y, predicted, sample_weight=None):
        return -np.dot(errors(y, predicted, sample_weight), (missed_cost, alarm_cost))

    return make_scorer(saving).set_score_request(sample_weight=True)


def make_models():
    """Return the classifiers; every step says that it wants the sample weights."""
    early = {"n_estimators": 500, "early_stopping_rounds": 30, "validation_fraction": 0.2, "random_state": 0}
    models = {"LightGBM": FocalLGBMClassifier(verbose=-1, **early), "XGBoost": FocalXGBClassifier(**early)}
    return {name: model.set_fit_request(sample_weight=True) for name, model in models.items()}


def draw(curves, thresholds, path):
    """Save the cost of every threshold, and where the thresholds of the table are."""
    figure, axes = plt.subplots(figsize=(8, 4.6), layout="constrained")
    dearest = 0.0
    for (name, costs), marked, height in zip(curves.items(), thresholds, [-24, 44], strict=True):
        (line,) = axes.step(costs.index, costs, where="post")
        at = {kind: costs[costs.index <= threshold].iloc[-1] for kind, threshold in marked.items()}
        dearest = max(dearest, *at.values())
        axes.plot(marked["tuned"], at["tuned"], "o", color=line.get_color())
        label = {"textcoords": "offset points", "color": line.get_color(), "va": "center"}
        axes.annotate(f"{name}, tuned", (marked["tuned"], at["tuned"]), (10, height), **label)
    for kind in ("by the costs", "one half"):  # the same for both
        axes.axvline(marked[kind], color="grey", linestyle=":")
        place = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "color": "grey"}
        axes.annotate(kind, (marked[kind], 1), (-5, -5), rotation=90, ha="right", va="top", **place)
    axes.set(xlabel="Alarm from this probability on", ylabel="Cost of the test's errors", xscale="log")
    axes.set(xlim=(5e-4, 1), ylim=(0, 1.7 * dearest), title="What a threshold costs")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_major_formatter("{x:,.0f}")
    figure.savefig(path, dpi=120)


def main(arguments=None):
    """Train, print the table, save the picture; return the table."""
    parser = argparse.ArgumentParser(description="Card fraud: the threshold that costs least")
    parser.add_argument("--missed", type=float, default=100.0, help="what a missed fraud costs")
    parser.add_argument("--alarm", type=float, default=1.0, help="what a false alarm costs")
    parser.add_argument("--output", type=Path, default=Path("cost_of_errors.png"), help="where the picture goes")
    options = parser.parse_args(arguments)

    cards = load_creditcard()
    X, y, weight = cards.data, cards.target, cards.sample_weight
    n_train = int(0.8 * len(y))
    train, test = slice(n_train), slice(n_train, None)
    by_the_costs = options.alarm / (options.alarm + options.missed)
    rows, curves, marks = {}, {}, []
    for name, model in make_models().items():
        model.fit(X[train], y[train], sample_weight=weight[train])
        tuned = TunedThresholdClassifierCV(
            model, scoring=make_saving(options.missed, options.alarm), response_method="predict_proba", random_state=0
        )
        tuned.fit(X[train], y[train], sample_weight=weight[train])
        thresholds = {"one half": 0.5, "by the costs": by_the_costs, "tuned": tuned.best_threshold_}
        for kind, threshold in thresholds.items():
            alarms = FixedThresholdClassifier(FrozenEstimator(model), threshold=threshold).fit(X[train], y[train])
            missed, false_alarms = errors(y[test], alarms.predict(X[test]), weight[test])
            cost = missed * options.missed + false_alarms * options.alarm
            rows[f"{name}, {kind}"] = [threshold, missed, false_alarms, cost]
        fraud = model.predict_proba(X[test])[:, 1]
        grid = np.geomspace(1e-4, 0.99, 200)
        costs = [np.dot(errors(y[test], fraud >= t, weight[test]), (options.missed, options.alarm)) for t in grid]
        curves[name] = pd.Series(costs, index=grid)
        marks.append(thresholds)
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["threshold", "missed", "false alarms", "cost"])
    print(f"{y[test].sum()} frauds in the test; a missed one costs {options.missed:g}, an alarm {options.alarm:g}.")
    formats = ["{:.4f}", "{:.0f}", "{:.0f}", "{:.0f}"]
    print(table.to_string(formatters=dict(zip(table.columns, (f.format for f in formats), strict=True))))
    draw(curves, marks, options.output)
    print(f"Picture: {options.output}")
    return table


if __name__ == "__main__":
    main()

# %%
# **What is seen:** one half costs most, and the threshold that follows from the two costs no more than the one that is
# searched for, as the valley between is flat; which of the two engines is the cheaper is within the noise of 75 frauds.
