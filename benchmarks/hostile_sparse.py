"""Hostile sparse features; see `hostile_data`."""

import numpy as np
from hostile_data import Data, features, kind, labels
from scipy import sparse

SPARSE = ("csr", "csc", "coo", "lil", "dok", "dia", "bsr")


def few_entries(rng):
    """Return features most of which are 0, and labels."""
    X = features(rng, n_columns=6)
    y = labels(rng, X)
    return np.where(np.abs(X) > 0.7, X, 0.0), y


@kind
def sparse_matrix(rng):
    """Give a sparse matrix of any format."""
    X, y = few_entries(rng)
    return Data(sparse.csr_matrix(X).asformat(rng.choice(SPARSE)), y)


@kind
def sparse_array(rng):
    """Give a sparse array of any format."""
    X, y = few_entries(rng)
    return Data(sparse.csr_array(X).asformat(rng.choice(SPARSE)), y)


@kind
def odd_sparse(rng):
    """Sparse, with entries that are 0, missing, unsorted or doubled, wide indices, or without any entry."""
    X, y = few_entries(rng)
    X = sparse.csr_matrix(X)
    way = rng.integers(5)
    if way == 0:
        X.data[::3] = rng.choice([0.0, np.nan])
    elif way == 1:
        X = sparse.csr_matrix((X.data[::-1], X.indices[::-1], X.nnz - X.indptr[::-1]), shape=X.shape)
    elif way == 2:
        X = sparse.vstack([X, X]).tocoo()
        X, y = sparse.coo_matrix((X.data, (X.row % len(y), X.col)), shape=(len(y), X.shape[1])), y
    elif way == 3:
        X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    else:
        X = sparse.csr_matrix(X.shape)
    return Data(X, y)
