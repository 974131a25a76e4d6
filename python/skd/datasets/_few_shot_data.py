"""Data sets of three splits."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from skd.datasets._parts import merged
from skd.datasets._split import Split


@dataclass(frozen=True)
class FewShotData:
    """A data set whose three splits share no class.

    Attributes
    ----------
    train, val, test : Split
        Base classes, and the novel classes of validation and test.
    train_phase_val, train_phase_test : Split or None
        Other images of the classes of `train`, if the files hold them.
    unreadable : tuple of str
        Files that `from_folder` left out, each with the reason.
    """

    train: Split
    val: Split
    test: Split
    train_phase_val: Split | None = None
    train_phase_test: Split | None = None
    unreadable: tuple[str, ...] = field(default=(), repr=False)

    @cached_property
    def trainval(self) -> Split:
        """Training and validation classes as one split, for a final training before the test.

        The classes of `val` follow those of `train`, and the normalisation is `train`'s. Large
        images are kept in a temporary file.
        """
        return merged(self.train, self.val)
