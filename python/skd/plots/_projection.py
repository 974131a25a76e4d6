"""Projection of points of many dimensions to a plane."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skd.choices import Projection, values

METHODS: tuple[Projection, ...] = values(Projection)
PERPLEXITY = 30.0  # of t-SNE: the effective number of neighbours of a point

Matrix = NDArray[np.float64]


def principal_components(points: Matrix) -> tuple[Matrix, tuple[float, float]]:
    """Return the first two principal components, and the shares of the variance they explain.

    Signs are chosen so that the largest loading of each component is positive.
    """
    centred = points - points.mean(axis=0)
    _, singular, axes = np.linalg.svd(centred, full_matrices=False)
    plane = np.zeros((2, points.shape[1]))
    plane[: len(axes[:2])] = axes[:2]
    largest = np.abs(plane).argmax(axis=1)
    plane *= np.where(plane[[0, 1], largest] < 0, -1.0, 1.0)[:, None]
    variances = np.zeros(2)
    variances[: len(singular[:2])] = singular[:2] ** 2
    total = (singular**2).sum()
    shares = variances / total if total > 0 else variances
    return centred @ plane.T, (float(shares[0]), float(shares[1]))


def require_scikit_learn() -> None:
    """Raise an ImportError that says what to do if scikit-learn is missing."""
    try:
        import sklearn  # noqa: F401
    except ImportError as error:
        message = "t-SNE needs scikit-learn: pip install scikit-learn, or use method='pca'"
        raise ImportError(message) from error


def neighbour_embedding(points: Matrix, seed: int) -> Matrix:
    """Return the t-SNE of points, initialised with their principal components."""
    from sklearn.manifold import TSNE

    perplexity = min(PERPLEXITY, (len(points) - 1) / 3)
    # For a few hundred points, the exact gradient is faster than the approximation by trees: 11 s
    # instead of 42 s for 500 points on two busy cores.
    tsne = TSNE(perplexity=perplexity, init="pca", random_state=seed % 2**32, method="exact")
    projected: Matrix = tsne.fit_transform(points).astype(np.float64)
    return projected
