"""Data sets by name."""

from __future__ import annotations

from skd import _validation as check
from skd.datasets._split import FewShotData, from_arrays

NAMES = ("glyphs",)


def load(name: str) -> FewShotData:
    """Load a data set.

    Parameters
    ----------
    name : {"glyphs"}
        "glyphs" is embedded in the package: characters as classes, 32x32 RGB, with scripts in
        `test` that `train` does not hold. For other data see `from_arrays`.

    Returns
    -------
    data : FewShotData
        Three splits that share no class, normalised as the training split.

    Examples
    --------
    >>> skd.datasets.load("glyphs").train.images.shape[1:]
    (32, 32, 3)
    """
    if not isinstance(name, str) or name not in NAMES:
        legal = f"one of {', '.join(map(repr, NAMES))} (make other data with from_arrays)"
        check.refuse("name", "load", legal, repr(name))
    from skd.datasets._glyphs import read_glyphs

    glyphs = read_glyphs()
    splits = {
        part: from_arrays(
            split.images,
            split.labels,
            mean=glyphs.mean,
            std=glyphs.std,
            class_names=split.class_names,
        )
        for part, split in glyphs.splits.items()
    }
    return FewShotData(**splits)
