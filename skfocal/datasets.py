"""Data that ships with skfocal. Imports nothing of ours."""

from importlib.resources import files
from typing import Any

import numpy as np
from sklearn.utils import Bunch

__all__ = ["load_bank_marketing", "load_creditcard"]


def load_creditcard(*, return_X_y: bool = False, as_frame: bool = False) -> Any:
    """Load a real sample of the ULB credit-card fraud data: all 492 frauds, every 20th legitimate transaction.

    14,708 transactions in time order, 30 features, and a sample weight of 20 for the legitimate ones, which restores
    the true share of frauds, 0.17 % [1]_.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.
    as_frame : bool, default=False
        Return a DataFrame and Series instead of arrays; needs pandas.

    Returns
    -------
    data : Bunch, or tuple (data, target) if `return_X_y`
        What a Bunch of scikit-learn's holds:

        data : ndarray or DataFrame of shape (14708, 30), float32
            Time (seconds since the first transaction), V1 ... V28 (principal components) and Amount.
        target : ndarray or Series of shape (14708,), int64
            1 = fraud, 0 = legitimate.
        sample_weight : ndarray or Series of shape (14708,), float64
            1 for a fraud, 20 for a legitimate transaction. Not part of the tuple.
        frame : DataFrame of shape (14708, 31) or None
            Features and target; only with `as_frame`.
        feature_names : list of str
            Names of the features.
        target_names : list of str
            Names of the classes.
        DESCR : str
            Full description, with licence (DbCL 1.0) and credits.

    Raises
    ------
    ImportError
        If `as_frame` and pandas is not installed.

    References
    ----------
    .. [1] Dal Pozzolo, Caelen, Johnson & Bontempi (2015), Calibrating probability with undersampling for unbalanced
       classification. IEEE CIDM. Data of the Machine Learning Group of ULB.

    Examples
    --------
    >>> from skfocal.datasets import load_creditcard
    >>> creditcard = load_creditcard()
    >>> creditcard.data.shape, int(creditcard.target.sum())
    ((14708, 30), 492)
    >>> share = creditcard.sample_weight[creditcard.target == 1].sum() / creditcard.sample_weight.sum()
    >>> f"{share:.2%}"
    '0.17%'
    """
    folder = files("skfocal") / "data"
    with (folder / "creditcard.npz").open("rb") as file, np.load(file) as archive:
        columns = [archive["time"], *archive["components"], archive["amount"]]
        target = archive["target"].astype(np.int64)
    data = np.column_stack(columns)
    sample_weight = np.where(target == 1, 1.0, 20.0)
    feature_names = ["Time", *(f"V{i}" for i in range(1, 29)), "Amount"]
    frame = None
    if as_frame:
        pd = _pandas("as_frame=True")
        frame = pd.DataFrame(data, columns=feature_names)
        frame["target"] = target
        data, target = frame[feature_names], frame["target"]
        sample_weight = pd.Series(sample_weight, name="sample_weight")
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        sample_weight=sample_weight,
        frame=frame,
        feature_names=feature_names,
        target_names=["legitimate", "fraud"],
        DESCR=(folder / "creditcard.md").read_text(encoding="utf-8"),
    )


def load_bank_marketing(*, return_X_y: bool = False) -> Any:
    """Load calls of a bank to its clients, and who subscribed a term deposit: categories, and a share that rises.

    41,188 calls in time order, 19 features, 11.3 % positives: 3 % in the first tenth of the calls, 46 % in the last
    [1]_. What is published as ``duration`` is left out: it is not known before the outcome. Needs pandas.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    data : Bunch, or tuple (data, target) if `return_X_y`
        What a Bunch of scikit-learn's holds:

        data : DataFrame of shape (41188, 19)
            10 categories, 4 columns of whole numbers and 5 of float64.
        target : Series of shape (41188,), int64
            1 = subscribed, 0 = not.
        frame : DataFrame of shape (41188, 20)
            Features and target.
        feature_names : list of str
            Names of the features.
        target_names : list of str
            Names of the classes.
        DESCR : str
            Full description, with licence (CC BY 4.0) and credits.

    Raises
    ------
    ImportError
        If pandas is not installed.

    References
    ----------
    .. [1] Moro, Cortez & Rita (2014), A data-driven approach to predict the success of bank telemarketing. Decision
       Support Systems 62. UCI Machine Learning Repository, doi:10.24432/C5K306.

    Examples
    --------
    >>> from skfocal.datasets import load_bank_marketing
    >>> bank = load_bank_marketing()
    >>> bank.data.shape, int(bank.target.sum())
    ((41188, 19), 4640)
    >>> bank.data["job"].dtype.name
    'category'
    """
    pd = _pandas("load_bank_marketing")
    folder = files("skfocal") / "data"
    with (folder / "bank_marketing.npz").open("rb") as file, np.load(file) as archive:
        frame = pd.DataFrame({name: archive[name] for name in archive["columns"].tolist()})
        for name in frame:
            if f"names of {name}" in archive:
                frame[name] = pd.Categorical.from_codes(frame[name], archive[f"names of {name}"].tolist())
            elif frame[name].dtype.kind == "i":
                frame[name] = frame[name].astype(np.int64)
        frame["target"] = archive["target"].astype(np.int64)
    data, target = frame.drop(columns="target"), frame["target"]
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        frame=frame,
        feature_names=list(data.columns),
        target_names=["not subscribed", "subscribed"],
        DESCR=(folder / "bank_marketing.md").read_text(encoding="utf-8"),
    )


def _pandas(what: str) -> Any:
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError(f'{what} needs pandas: pip install "skfocal[all]"') from error
    return pd
