"""``skd evaluate FEATURES``: the few-shot accuracy of features in a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import skd
from skd import _validation as check
from skd._files.kinds import SAFETENSORS, kind_of_file
from skd._files.safetensors_files import SafetensorsError, opened

ARRAYS = ("an array file of NumPy", "an archive of NumPy arrays")
OF_MODELS = ("skd", "skd_few_shot", "skd_episodes")  # entries of headers
#: Options about images, which a file of features has behind it, and their defaults.
OF_IMAGES: dict[str, Any] = {
    "pretrained": None,
    "data": None,
    "root": None,
    "split_name": "val",
    "features": "embedding",
    "support_augmentation": "crop_flip",
    "n_support_copies": 5,
    "flip": True,
}


def is_feature_file(path: Path | None) -> bool:
    """Return whether a file holds arrays rather than a model."""
    if path is None or not path.is_file():
        return False
    kind = kind_of_file(path)
    if kind in ARRAYS:
        return True
    if kind != SAFETENSORS:
        return False
    try:
        with opened(path) as file:
            # A state dict has a tensor of four dimensions: the weight of a convolution.
            has_weights = any(len(entry.shape) == 4 for entry in file.entries.values())
            return not has_weights and not any(key in file.metadata for key in OF_MODELS)
    except SafetensorsError:
        return False


def evaluate_file(
    path: Path,
    labels: Path | None,
    query: Path | None,
    owner: str,
    *,
    given: Mapping[str, Any],
    **options: Any,
) -> skd.EvaluationResult:
    """Score a file of features.

    Parameters
    ----------
    path : Path
        File of features.
    labels, query : Path or None
        File of labels, and file of the features of the queries.
    owner : str
        The command.
    given : mapping
        Values of the options about images, which must have their defaults.
    **options
        Options of `skd.evaluate_features`.
    """
    for name, default in OF_IMAGES.items():
        if given[name] != default:
            check.refuse(name, owner, "left out for a file of features", check.shown(given[name]))
    return skd.evaluate_features(path, labels, query=query, **options)
