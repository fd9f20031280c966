"""Two published tables, repeated with the focal classifiers beside the models they are about.

    python benchmarks/published.py FOLDER             # both, about five minutes on two cores
    python benchmarks/published.py FOLDER costs       # scikit-learn's example of costs that differ by amount
    python benchmarks/published.py FOLDER handbook    # the Fraud Detection Handbook's simulated transactions

FOLDER holds creditcard.parquet, of the columns of the card data of ULB and ``target``, in the order in which they are
published; and handbook_3weeks.parquet, the Handbook's transformed transactions of 2018-07-25 to 2018-08-14, here or in
a folder ``handbook`` beside FOLDER.

costs: the gains of https://scikit-learn.org/stable/auto_examples/model_selection/plot_cost_sensitive_learning.html, in
euros over the half that is held out: 2 % of the amount for a transaction accepted, minus the amount if it was fraud;
the amount and 50 for a fraud refused, -5 for another refusal. "by amounts" decides each transaction by what it costs,
with `skfocal.thresholds.CostThresholdClassifier`. Intervals are of the difference to logistic regression with
scikit-learn's tuned threshold, by bootstrap over transactions.

handbook: seven days to train, seven of delay, seven to test, cards known as compromised left out; AP, AUC and card
precision at 100 a day, as in its chapters 3.4 and 4.4. Its own figures are of its models with their defaults. Intervals
are by bootstrap over the seven days of the test.
"""

import argparse
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import xgboost
from sklearn import config_context
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, make_scorer, roc_auc_score
from sklearn.model_selection import GridSearchCV, TunedThresholdClassifierCV, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfocal import (
    FocalHistGradientBoostingClassifier,
    FocalLGBMClassifier,
    FocalMLPClassifier,
    FocalXGBClassifier,
)
from skfocal.metrics import precision_at_k
from skfocal.thresholds import CostThresholdClassifier

N_BOOTSTRAP = 1000
PUBLISHED_GAINS = {"accept all": 221_445, "logistic regression": 260_787, "the same, threshold tuned": 268_847}
PUBLISHED_HANDBOOK = {  # AUC, AP, card precision at 100: its table of baseline models
    "Handbook: logistic regression": (0.871, 0.606, 0.291),
    "Handbook: random forest": (0.867, 0.658, 0.287),
    "Handbook: XGBoost": (0.862, 0.639, 0.273),
}
FEATURES = [
    "TX_AMOUNT", "TX_DURING_WEEKEND", "TX_DURING_NIGHT",
    *(f"CUSTOMER_ID_{what}_{days}DAY_WINDOW" for days in (1, 7, 30) for what in ("NB_TX", "AVG_AMOUNT")),
    *(f"TERMINAL_ID_{what}_{days}DAY_WINDOW" for days in (1, 7, 30) for what in ("NB_TX", "RISK")),
]  # fmt: skip
BOOSTED = {
    "LightGBM": lambda: lightgbm.LGBMClassifier(verbose=-1, random_state=0),
    "LightGBM, focal": lambda: FocalLGBMClassifier(verbose=-1, random_state=0),
    "XGBoost": lambda: xgboost.XGBClassifier(random_state=0),
    "XGBoost, focal": lambda: FocalXGBClassifier(random_state=0),
    "HistGradientBoosting": lambda: HistGradientBoostingClassifier(random_state=0),
    "HistGradientBoosting, focal": lambda: FocalHistGradientBoostingClassifier(random_state=0),
    "MLP": lambda: make_pipeline(StandardScaler(), MLPClassifier(random_state=0)),
    "MLP, focal": lambda: make_pipeline(StandardScaler(), FocalMLPClassifier(random_state=0)),
}  # fmt: skip
HANDBOOK_MODELS = BOOSTED | {
    "logistic regression": lambda: make_pipeline(StandardScaler(), LogisticRegression()),
    "random forest": lambda: RandomForestClassifier(random_state=0, n_jobs=-1),
}


def gains(y: np.ndarray, is_refused: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """Return what each transaction earns, in euros."""
    accepted = np.where(y == 1, -amount, 0.02 * amount)
    return np.where(is_refused == 1, np.where(y == 1, 50.0 + amount, -5.0), accepted)


def total_gain(y: np.ndarray, is_refused: np.ndarray, amount: np.ndarray) -> float:
    """Return what all earn."""
    return float(gains(np.asarray(y), np.asarray(is_refused), np.asarray(amount)).sum())


def tuned_regression(X: Any, y: Any, amount: Any) -> tuple[Any, Any]:
    """Return scikit-learn's model of the example, and it with the threshold of most gain by cross-validation."""
    regression = make_pipeline(StandardScaler(), LogisticRegression())
    grid = {"logisticregression__C": np.logspace(-6, 6, 13)}
    model = GridSearchCV(regression, grid, scoring="neg_log_loss").fit(X, y)
    with config_context(enable_metadata_routing=True):
        scorer = make_scorer(total_gain).set_score_request(amount=True)
        tuned = TunedThresholdClassifierCV(model.best_estimator_, scoring=scorer, thresholds=100, n_jobs=1)
        tuned.fit(X, y, amount=amount)
    return model, tuned


def by_amounts(model: Any, X: Any, y: Any, amount: np.ndarray) -> np.ndarray:
    """Return decisions of a fitted model, each by what it costs."""
    decider = CostThresholdClassifier(FrozenEstimator(model), false_positive=5.0).fit(X, y)
    costs = {"true_positive": -50.0 - amount, "false_negative": amount, "true_negative": -0.02 * amount}
    return decider.predict(X, **costs)


def costs(folder: Path) -> None:
    """Print the gains of each model."""
    frame = pd.read_parquet(folder / "creditcard.parquet")
    y, X = frame["target"].to_numpy(), frame.drop(columns=["Time", "target"]).astype(float)
    amount = X["Amount"].to_numpy(dtype=float)
    X, X_test, y, y_test, amount, amount_test = train_test_split(
        X, y, amount, stratify=y, test_size=0.5, random_state=42
    )
    regression, tuned = tuned_regression(X, y, amount)
    decisions = {
        "accept all": np.zeros(len(y_test)),
        "logistic regression": regression.predict(X_test),
        "the same, threshold tuned": tuned.predict(X_test),
        "the same, by amounts": by_amounts(regression, X_test, y_test, amount_test),
    }
    for name, make in BOOSTED.items():
        model = make().fit(X, y)
        decisions[f"{name}, at 0.5"] = model.predict(X_test)
        decisions[f"{name}, by amounts"] = by_amounts(model, X_test, y_test, amount_test)
    earned = {name: gains(y_test, decision, amount_test) for name, decision in decisions.items()}
    base = earned["the same, threshold tuned"]
    rows = np.random.default_rng(0).integers(len(base), size=(N_BOOTSTRAP, len(base)), dtype=np.int32)
    print("\nGain in euros, held-out half of the card data\n")
    for name, gain in earned.items():
        low, high = np.quantile([(gain - base)[each].sum() for each in rows], [0.025, 0.975])
        published = f"   published {PUBLISHED_GAINS[name]:>9,}" if name in PUBLISHED_GAINS else ""
        print(f"{name:42} {gain.sum():>9,.0f}   to tuned [{low:>8,.0f}, {high:>8,.0f}]{published}")


def handbook_days(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the transactions to train on and those to test, without cards that are known by then."""
    day = frame["TX_TIME_DAYS"] - frame["TX_TIME_DAYS"].min()
    is_fraud = frame["TX_FRAUD"] == 1
    training = frame[day < 7]
    known = set(training.loc[is_fraud, "CUSTOMER_ID"])
    tested = []
    for number in range(14, 21):  # a week of delay: of the cards of that week, those of a day less become known
        known |= set(frame.loc[(day == number - 8) & is_fraud, "CUSTOMER_ID"])
        tested.append(frame[(day == number) & ~frame["CUSTOMER_ID"].isin(known)])
    return training, pd.concat(tested)


def card_precision(test: pd.DataFrame, score: np.ndarray, k: int = 100) -> float:
    """Return the share of compromised cards among k alerts a day; those that were found are blocked from then on."""
    precisions: list[float] = []
    found: set[int] = set()
    for _, rows in pd.Series(np.arange(len(test))).groupby(test["TX_TIME_DAYS"].to_numpy()):
        there = rows[~test["CUSTOMER_ID"].iloc[rows].isin(found).to_numpy()]
        y, card = test["TX_FRAUD"].to_numpy()[there], test["CUSTOMER_ID"].to_numpy()[there]
        precisions.append(precision_at_k(y, score[there], k=k, entities=card))
        cards = pd.DataFrame({"y": y, "score": score[there]}).groupby(card).max().nlargest(k, "score")
        found |= set(cards.index[cards["y"] == 1])
    return float(np.mean(precisions))


def of_days(metric: Callable[..., float], test: pd.DataFrame, score: np.ndarray, days: np.ndarray) -> float:
    """Return a metric of a sample of days."""
    rows = np.concatenate([np.flatnonzero(test["TX_TIME_DAYS"].to_numpy() == day) for day in days])
    return metric(test["TX_FRAUD"].to_numpy()[rows], score[rows])


def handbook(folder: Path) -> None:
    """Print AUC, AP and card precision of each model."""
    name = "handbook_3weeks.parquet"
    path = folder / name if (folder / name).exists() else folder.parent / "handbook" / name
    training, test = handbook_days(pd.read_parquet(path))
    X, y = training[FEATURES].astype(np.float32), training["TX_FRAUD"].to_numpy()
    days = test["TX_TIME_DAYS"].unique()
    draws = np.random.default_rng(0).choice(days, size=(200, len(days)))
    print(
        f"\nThe Handbook's transactions: {len(X):,} to train, {len(test):,} to test, {test['TX_FRAUD'].sum()} frauds\n"
    )
    print(f"{'':32} {'AP':>5} {'of days':>16} {'AUC':>6} {'of days':>16} {'CP@100':>7}")
    for name, (auc, ap, precision) in PUBLISHED_HANDBOOK.items():
        print(f"{name:32} {ap:5.3f} {'':>16} {auc:6.3f} {'':>16} {precision:7.3f}")
    for name, make in HANDBOOK_MODELS.items():
        score = make().fit(X, y).predict_proba(test[FEATURES].astype(np.float32))[:, 1]
        cells = []
        for metric in (average_precision_score, roc_auc_score):
            low, high = np.quantile([of_days(metric, test, score, each) for each in draws], [0.025, 0.975])
            cells.append(f"{metric(test['TX_FRAUD'], score):6.3f} [{low:6.3f}, {high:6.3f}]")
        print(f"{name:32}{' '.join(cells)} {card_precision(test, score):7.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("tables", nargs="*", metavar="costs, handbook", choices=["costs", "handbook", []])
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", category=FutureWarning)
    for table in arguments.tables or ["costs", "handbook"]:
        {"costs": costs, "handbook": handbook}[table](arguments.folder)
