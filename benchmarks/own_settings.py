"""What ours takes to grow trees as the engines do on their own: for benchmarks of the loss, and of nothing else."""

import skfocal

OWN_SETTINGS = {
    "LightGBM": {"extra_trees": False, "reg_lambda": 0.0},
    "XGBoost": {"learning_rate": 0.3, "reg_lambda": 1.0, "min_child_weight": 1.0},
    "HistGB": {"max_leaf_nodes": 31, "l2_regularization": 0.0},
}


def focal_engines(**params):
    """Return ours on both engines, with their settings and these parameters."""
    return {
        "LightGBM": skfocal.FocalLGBMClassifier(verbose=-1, **OWN_SETTINGS["LightGBM"] | params),
        "XGBoost": skfocal.FocalXGBClassifier(**OWN_SETTINGS["XGBoost"] | params),
    }
