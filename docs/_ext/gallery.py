"""The order of the gallery: fraud, from the first model to decisions; why it is so; other data and machines."""

ORDER = [
    "plot_fraud_detection.py",
    "plot_cost_of_errors.py",
    "plot_alert_budget.py",
    "plot_gamma_sweep.py",
    "plot_reliability_and_link.py",
    "plot_loss_shapes.py",
    "plot_regularisation.py",
    "plot_samplers.py",
    "plot_drifting_rate.py",
    "plot_refining.py",
    "plot_bank_marketing.py",
    "plot_explaining.py",
    "plot_several_classes.py",
    "plot_dask.py",
]


def position(name: str) -> int:
    """Return where an example of this file name stands; ValueError if nobody has said."""
    return ORDER.index(name)
