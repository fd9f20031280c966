"""What a model to continue must have, whatever its engine. Imports nothing of ours."""


def check_same_margins(name: str, given: int, wanted: int) -> None:
    """Raise if a model to continue has another number of margins than the classes of y need."""
    if given != wanted:
        raise ValueError(f"{name} must have {wanted} margins, as the classes of y need, got a model with {given}.")


def check_same_features(name: str, given: int, wanted: int) -> None:
    """Raise if a model to continue has another number of features than X."""
    if given != wanted:
        raise ValueError(f"{name} must have the {wanted} features of X, got a model with {given}.")
