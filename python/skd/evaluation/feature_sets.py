"""Features of images with their labels, in memory and from files that others may have written."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _validation as check
from skd._files.array_files import refuse
from skd._files.hashes import arrays_sha256
from skd._refusals import delegated
from skd.evaluation._feature_meta import fault_of, parsed_meta

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class FeatureSet:
    """Features of images with the class of each image.

    `load_features` returns one; you can create one from arrays.

    Attributes
    ----------
    features : ndarray of shape (n_images, n_dimensions), dtype float32
        Features before any scaling.
    labels : ndarray of shape (n_images,), dtype int64
        Class of each image.
    class_names : tuple of str or None
        Name of each class, if the labels are positions in it.
    meta : dict or None
        Origin of the features as ``skd embed`` writes it: the model and the data with their
        SHA-256, the output of the network and the normalisation. None if it is not known.
    """

    features: FloatArray = field(repr=False)
    labels: NDArray[np.int64] = field(repr=False)
    class_names: tuple[str, ...] | None = field(default=None, repr=False)
    meta: dict[str, Any] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Check the arrays, and convert text labels to positions in `class_names`."""
        owner = "FeatureSet"
        matrix = check.float_array(self.features, "features", owner, ndim=2, finite=True)
        if not matrix.size:
            check.refuse("features", owner, "non-empty", f"shape {matrix.shape}")
        names = self.class_names
        if names is not None:
            names = check.names(names, "class_names", owner)
        text = check.text_labels(self.labels, "labels", owner, length=len(matrix), of="features")
        if text is None:
            labels = check.integer_array(
                self.labels, "labels", owner, length=len(matrix), of="features"
            )
        else:
            names, labels = text
        fault = None if names is None else _fault_of_names(names, labels)
        if fault is not None:
            check.refuse("class_names", owner, "a different name for each class from 0", fault)
        if self.meta is not None:
            lack = fault_of(check.instance(self.meta, "meta", owner, dict))
            if lack is not None:
                check.refuse("meta", owner, "the description of skd embed", f"one that {lack}")
        for name, value in {"features": matrix, "labels": labels, "class_names": names}.items():
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.labels)

    def __repr__(self) -> str:
        """Return the sizes and the origin."""
        origin = "of unknown origin"
        if self.meta is not None:
            model, data = self.meta["model"], self.meta["data"]
            origin = f"of {model['architecture']} on {data['name']} {data['split']}"
        classes = len(np.unique(self.labels))
        images, dimensions = self.features.shape
        return f"FeatureSet({images} images, {dimensions} dimensions, {classes} classes, {origin})"

    @property
    def sha256(self) -> str:
        """SHA-256 of features and labels, as in ``provenance.data.sha256`` of a report."""
        return arrays_sha256(self.features, self.labels)

    @property
    def model(self) -> dict[str, Any] | None:
        """Configuration and SHA-256 of the model, if they are known."""
        return None if self.meta is None else dict(self.meta["model"])

    def _described(self, names: Mapping[str, str | None] | None = None) -> dict[str, Any]:
        """Return the entries about these features in a report."""
        known = {} if self.meta is None else self.meta["data"]
        given = {} if names is None else {key: name for key, name in names.items() if name}
        described = {
            "name": given.get("name", known.get("name")),
            "split": given.get("split", known.get("split")),
            "sha256": self.sha256,
            "n_images": len(self),
            "num_classes": len(np.unique(self.labels)),
            "n_dimensions": self.features.shape[1],
        }
        return described | ({"images_sha256": known["sha256"]} if known else {})

    def _network_options(self) -> dict[str, Any]:
        """Return the options that the features were computed with, as far as they are known."""
        meta = self.meta or {}
        return {name: meta[name] for name in ("features", "normalization") if name in meta}

    def _class_keys(self, *, by_name: bool) -> dict[str | int, int]:
        """Return the label of each class that has images, by its name or by its label."""
        labels = [int(label) for label in np.unique(self.labels)]
        if by_name and self.class_names is not None:
            return {self.class_names[label]: label for label in labels}
        return {label: label for label in labels}


def load_features(
    path: str | PathLike[str], labels: ArrayLike | str | PathLike[str] | None = None
) -> FeatureSet:
    """Read a file of features: of ``skd embed``, or of any other program.

    The file is an ``.npz`` archive, an ``.npy`` file or a safetensors file, which its content
    tells. Its features are the array ``features``, or its only matrix of floats; its labels are the
    array ``labels``, or its only vector of integers or text. Nothing in the file is executed: it
    may come from anywhere.

    Parameters
    ----------
    path : str or path
        File to read.
    labels : array-like of shape (n_images,) or path, optional
        Class of each image, integers or text, or a file that holds them. It is needed if the file
        of features has none, as an ``.npy`` file, and replaces the file's labels otherwise.

    Returns
    -------
    features : FeatureSet
        Features and labels, and the origin if the file names it.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file holds no features that can be read, or is damaged; the message names the file
        and the reason. The hash in a file of ``skd embed`` is verified.
    """
    from skd.evaluation import _feature_arrays  # it loads zipfile, and import skd must stay quick

    owner = "load_features"
    source = check.input_file(path, "path", owner, what="file of features")
    table = _feature_arrays.opened_table(source)
    features = table.features()
    own_labels = table.labels(len(features), required=labels is None)
    meta = parsed_meta(table.meta(), source)
    if meta is not None:
        _require_undamaged(meta, features, own_labels, source)
    names = table.class_names()
    if names is not None and own_labels is not None and own_labels.dtype.kind in "iu":
        fault = _fault_of_names(names, own_labels)
        if fault is not None:
            refuse(source, f"its 'class_names' are {fault}")
    chosen: Any = own_labels
    if labels is not None:
        chosen, names = _given_labels(labels, len(features), owner), None
    return FeatureSet(features, chosen, names, meta)


def given_set(features: Any, labels: Any, owner: str) -> FeatureSet:
    """Return features that are given as a set, as a file, or as an array with labels."""
    if isinstance(features, FeatureSet):
        if labels is not None:
            check.refuse("labels", owner, "left out where 'features' has them", "labels")
        return features
    with delegated(owner, "FeatureSet", "load_features", path="features"):
        if isinstance(features, (str, os.PathLike)):
            return load_features(features, labels)
        if labels is None:
            check.refuse("labels", owner, "given with an array of features", labels)
        return FeatureSet(features, labels)


def given_query(query: Any, owner: str) -> FeatureSet:
    """Return queries that are given as a set, as a file, or as a pair of arrays."""
    if isinstance(query, FeatureSet):
        return query
    if isinstance(query, (str, os.PathLike)):
        with delegated(owner, "load_features", path="query"):
            return load_features(query)
    if not isinstance(query, tuple) or len(query) != 2:
        legal = "a FeatureSet, the path of a file, or a pair (features, labels)"
        check.refuse("query", owner, legal, check.shown(query), TypeError)
    with delegated(owner, "FeatureSet", features="query", labels="query"):
        return FeatureSet(*query)


def _fault_of_names(names: tuple[str, ...], labels: NDArray[Any]) -> str | None:
    """Return what is wrong with names of classes; None if nothing is."""
    if labels.size and not 0 <= labels.min() <= labels.max() < len(names):
        return f"{len(names)} for labels in {labels.min()}..{labels.max()}"
    return "not all different" if len(set(names)) < len(names) else None


def _given_labels(labels: Any, length: int, owner: str) -> Any:
    if not isinstance(labels, (str, os.PathLike)):
        if check.text_labels(labels, "labels", owner, length=length, of="path") is not None:
            return labels
        return check.integer_array(labels, "labels", owner, length=length, of="path")
    from skd.evaluation import _feature_arrays

    source = check.input_file(labels, "labels", owner, what="file of labels")
    found = _feature_arrays.opened_table(source).labels(None, required=True)
    if found is not None and len(found) != length:
        check.refuse("labels", owner, f"of length {length}, one for each of 'path'", len(found))
    return found


def _require_undamaged(
    meta: dict[str, Any], features: FloatArray, labels: Any, source: Path
) -> None:
    if labels is None or labels.dtype.kind not in "iu":
        refuse(source, "its labels are missing, though its 'meta' says that skd embed wrote it")
    if arrays_sha256(features, labels.astype(np.int64)) != meta["sha256"]:
        refuse(source, "its features or labels differ from the SHA-256 that it was written with")
