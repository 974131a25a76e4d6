"""Data sets of three splits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from skd._display.tables import Table
from skd.datasets._parts import merged
from skd.datasets._split import Split, class_sizes


@dataclass(frozen=True, repr=False)
class FewShotData:
    """A data set whose three splits share no class; it represents itself as a table of them.

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
    unreadable: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Return a table of the splits."""
        return self._table().text()

    def _repr_html_(self) -> str:
        """Return the table, and images of each split."""
        shown = (f"<p>{name}</p>{split._repr_html_()}" for name, split in self._splits())
        return self._table().html() + "".join(shown)

    def _splits(self) -> Iterator[tuple[str, Split]]:
        names = ("train", "val", "test", "train_phase_val", "train_phase_test")
        return ((name, getattr(self, name)) for name in names if getattr(self, name) is not None)

    def _table(self) -> Table:
        _, side, _, channels = self.train.images.shape
        plural = "s" if channels > 1 else ""
        unreadable = f", {len(self.unreadable)} unreadable files" if self.unreadable else ""
        rows = [
            (name, str(split.num_classes), str(len(split)), class_sizes(split))
            for name, split in self._splits()
        ]
        title = f"FewShotData of {side} x {side} pixels and {channels} channel{plural}{unreadable}"
        return Table(title, ("split", "classes", "images", "per class"), rows)

    @cached_property
    def trainval(self) -> Split:
        """Training and validation classes as one split, for a final training before the test.

        The classes of `val` follow those of `train`, and the normalisation is `train`'s. Large
        images are kept in a temporary file.
        """
        return merged(self.train, self.val)
