"""Files of features, which name the model and the data that they were computed from."""

from __future__ import annotations

import io
import json
from os import PathLike
from typing import Any

import numpy as np

from skd import _validation as check
from skd._display.progress_bar import progress_bar
from skd._files.atomic import write_atomically
from skd._files.hashes import arrays_sha256, state_sha256
from skd._version import __version__
from skd.datasets import Split
from skd.evaluation._feature_meta import FORMAT, VERSION
from skd.evaluation._features import FeatureExtractor
from skd.evaluation.protocol import require_fitting
from skd.machine import instruction_set
from skd.models import FEATURES, Model, Normalization


def write_features(
    path: str | PathLike[str],
    model: Model,
    split: Split,
    owner: str,
    *,
    kind: str,
    data_name: str,
    split_name: str,
    progress: bool,
) -> tuple[int, int]:
    """Compute the features of a split, as `evaluate` does before it scales them, and write them.

    docs/how-to/evaluation.md describes the file. Equal inputs give equal bytes.

    Parameters
    ----------
    path : str or path
        NPZ file to write; an existing file is replaced.
    model : Model
        The network. Images are normalised as it requires; if it has no normalisation, with that of
        `split`.
    split : Split
        Images and labels.
    owner : str
        Name of the caller in errors.
    kind : {"embedding", "logits"}
        Output of the network.
    data_name, split_name : str
        Names of the data and the split in the file.
    progress : bool
        Whether to show the progress.

    Returns
    -------
    shape : tuple of two ints
        Numbers of images and dimensions.

    Raises
    ------
    ValueError
        If `path` is a folder, or the images do not have the model's size and channels.
    WriteError
        If the file cannot be written, for example on a full disk; an existing file is kept.
    """
    target = check.output_file(path, "path", owner)
    wanted = check.choice(kind, "kind", owner, FEATURES)
    require_fitting(model, split, owner)
    with model._native.locked():  # the hash and the features are those of one state
        normalization = model.normalization or Normalization(split.mean, split.std)
        described = {**model.config, "sha256": state_sha256(model.snapshot())}
        with progress_bar(len(split), owner, "image", wanted=progress) as bar:
            extract = FeatureExtractor(model, wanted, split.images, normalization, bar.update)
            features = extract.raw(np.arange(len(split)))
    meta = {
        "format": FORMAT,
        "version": VERSION,
        "skd_version": __version__,
        "instruction_set": instruction_set(),
        "features": kind,
        "normalization": {"mean": list(normalization.mean), "std": list(normalization.std)},
        "sha256": arrays_sha256(features, split.labels),
        "model": described,
        "data": {
            "name": data_name,
            "split": split_name,
            "sha256": split.sha256,
            "n_images": len(split),
            "num_classes": split.num_classes,
            "image_shape": list(split.images.shape[1:]),
        },
    }
    content: dict[str, Any] = {
        "features": features,
        "labels": split.labels,
        "class_names": np.array(split.class_names, dtype=np.str_),
        "meta": np.array(json.dumps(meta, indent=2)),
    }
    file = io.BytesIO()
    np.savez(file, **content)
    write_atomically(target, file.getbuffer())
    return len(features), features.shape[1]
