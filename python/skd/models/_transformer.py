"""The interface of scikit-learn's transformers, without scikit-learn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skd import _validation as check
from skd._refusals import delegated


class Transformer(ABC):
    """A step of a scikit-learn pipeline that computes features with fixed weights."""

    @abstractmethod
    def embed(self, images: Any) -> NDArray[np.float32]:
        """Compute the features of images."""

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: N803
        """Return the model as it is, as the first step of a scikit-learn pipeline.

        Nothing is trained: objectives such as `Gen0` train a model.

        Parameters
        ----------
        X : array-like
            Images; not used.
        y : array-like, optional
            Classes; not used.

        Returns
        -------
        self : Model
            The unchanged model.
        """
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:  # noqa: N803
        """Compute the embeddings of images, as `embed` does.

        Parameters
        ----------
        X : array-like of shape (n_images, image_size, image_size, input_channels)
            Images as for `embed`.

        Returns
        -------
        embeddings : ndarray of shape (n_images, embedding_dim), dtype float32
            A new array.
        """
        with delegated("Model.transform", "Model.embed", images="X"):
            return self.embed(X)

    def fit_transform(self, X: Any, y: Any = None) -> NDArray[np.float32]:  # noqa: N803
        """Compute the embeddings of images; nothing is trained.

        Parameters
        ----------
        X : array-like of shape (n_images, image_size, image_size, input_channels)
            Images as for `embed`.
        y : array-like, optional
            Classes; not used.

        Returns
        -------
        embeddings : ndarray of shape (n_images, embedding_dim), dtype float32
            A new array.
        """
        with delegated("Model.fit_transform", "Model.transform"):
            return self.transform(X)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return no parameters: a pipeline cannot change a network.

        Parameters
        ----------
        deep : bool, default=True
            Not used.

        Returns
        -------
        parameters : dict
            An empty dict.
        """
        return {}

    def set_params(self, **params: Any) -> Self:
        """Refuse any parameter; see `get_params`.

        Parameters
        ----------
        **params
            No parameters.

        Returns
        -------
        self : Model
            The unchanged model.

        Raises
        ------
        ValueError
            If there is a parameter.
        """
        if params:
            check.refuse("params", "Model.set_params", "empty", ", ".join(sorted(params)))
        return self

    def __sklearn_clone__(self) -> Self:
        """Return the model itself, whose weights a pipeline does not change."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        """Return True: a model needs no fit."""
        return True

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's description of a transformer; only scikit-learn calls it."""
        from sklearn.utils import Tags, TargetTags, TransformerTags

        return Tags(
            estimator_type=None,
            target_tags=TargetTags(required=False),
            classifier_tags=None,
            transformer_tags=TransformerTags(preserves_dtype=[]),
            regressor_tags=None,
        )
