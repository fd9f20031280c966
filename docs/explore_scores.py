"""Make the transactions of the interactive page: the last fifth of the shipped card data, scored.

python docs/explore_scores.py
"""

import json
from pathlib import Path

import numpy as np

from skfocal import FocalLGBMClassifier
from skfocal.datasets import load_creditcard

SECONDS_A_DAY = 86400


def main():
    """Write docs/_static/explore/scores.js."""
    cards = load_creditcard()
    n_train = int(0.8 * len(cards.target))
    classifier = FocalLGBMClassifier(verbose=-1, n_jobs=1, random_state=0, deterministic=True, force_row_wise=True)
    classifier.fit(cards.data[:n_train], cards.target[:n_train], sample_weight=cards.sample_weight[:n_train])
    time, test = cards.data[:, 0], slice(n_train, None)
    scores = {
        "days": round(float(time[-1] - time[n_train]) / SECONDS_A_DAY, 4),
        "probability": [float(f"{p:.3g}") for p in classifier.predict_proba(cards.data[test])[:, 1]],
        "amount": np.round(cards.data[test, -1].astype(float), 2).tolist(),
        "fraud": np.flatnonzero(cards.target[test]).tolist(),
        "weight": cards.sample_weight[test].astype(int).tolist(),
    }
    path = Path(__file__).parent / "_static" / "explore" / "scores.js"
    says = "/* Made by docs/explore_scores.py: the test part of the card data that skfocal ships, scored. */\n"
    path.write_text(
        f'{says}"use strict";\n\nconst SCORES = {json.dumps(scores, separators=(",", ":"))};\n', encoding="utf-8"
    )


if __name__ == "__main__":
    main()
