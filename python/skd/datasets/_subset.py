"""The random choice of classes and images for `Split.subset`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skd import _validation as check

OWNER = "Split.subset"


def chosen_classes(names: tuple[str, ...], n_classes: int | None, seed: int) -> NDArray[np.int64]:
    """Return the labels of the chosen classes, ascending."""
    if n_classes is None:
        return np.arange(len(names))
    count = check.integer(n_classes, "n_classes", OWNER, minimum=1)
    if count > len(names):
        check.refuse("n_classes", OWNER, f"at most the number of classes, {len(names)}", count)
    return np.sort(np.random.default_rng(seed).permutation(len(names))[:count])


def chosen_images(
    labels: NDArray[np.int64],
    names: tuple[str, ...],
    classes: NDArray[np.int64],
    per_class: int | None,
    seed: int,
) -> NDArray[np.int64]:
    """Return the positions of the chosen images of some classes, ascending."""
    members = {int(label): np.flatnonzero(labels == label) for label in classes}
    if per_class is not None:
        count = check.integer(per_class, "per_class", OWNER, minimum=1)
        smallest = min(members, key=lambda label: len(members[label]))
        if count > len(members[smallest]):
            legal = f"at most {len(members[smallest])}, the images of class {names[smallest]!r}"
            check.refuse("per_class", OWNER, legal, count)
        # A generator for each class: its images do not depend on the other classes.
        members = {
            label: np.random.default_rng([seed, label]).permutation(own)[:count]
            for label, own in members.items()
        }
    return np.sort(np.concatenate(list(members.values())))
