"""What ours takes to grow trees as the engines do on their own: for benchmarks of the loss, and of nothing else."""

OWN_SETTINGS = {
    "LightGBM": {"extra_trees": False, "reg_lambda": 0.0},
    "XGBoost": {"learning_rate": 0.3, "reg_lambda": 1.0, "min_child_weight": 1.0},
    "HistGB": {"max_leaf_nodes": 31, "l2_regularization": 0.0},
    "MLP": {},
}
