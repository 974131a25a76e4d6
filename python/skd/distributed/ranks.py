"""Ranks: the processes that train or evaluate together; here a single process.

Code that uses `Ranks` works with one process and with many; `MPIRanks` is the other implementation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from mpi4py.MPI import Intracomm

Value = TypeVar("Value")
Share = tuple[
    int,
    int,
    bool,
    Callable[[NDArray[np.float64]], object],
    Callable[[NDArray[np.float32]], object],
    Callable[[], object],
]


class Ranks:
    """The only process of a run."""

    #: Number of this process, and the number of processes.
    rank = 0
    size = 1
    communicator: Intracomm | None = None

    @property
    def is_first(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def slice_of(self, count: int, rank: int | None = None) -> slice:
        """Return the slice of `count` things that a rank has; by default this rank."""
        rank = self.rank if rank is None else rank
        return slice(count * rank // self.size, count * (rank + 1) // self.size)

    def share(self, images: int, *, sync_batch_norm: bool) -> Share | None:
        """Return this rank's shard of a batch for the binding; None for the whole batch."""
        return None

    def mean(self, values: Mapping[str, float], weight: float) -> dict[str, float]:
        """Return the weighted means over all ranks."""
        return dict(values)

    def largest(self, value: int) -> int:
        """Return the maximum of an integer over all ranks."""
        return value

    def broadcast(self, value: Value) -> Value:
        """Return the value of the first rank."""
        return value

    def gathered(self, rows: NDArray[Any], count: int) -> NDArray[Any]:
        """Return all `count` rows; each rank contributes the rows of its slice."""
        return rows

    def require_equal(self, content: Mapping[str, Any], owner: str) -> None:
        """Refuse, on all ranks, values that are not equal on all of them."""

    @contextmanager
    def raise_on_all_ranks(self) -> Iterator[None]:
        """Raise on all ranks if one fails inside; the block must not communicate."""
        yield

    @contextmanager
    def errors_on_all_ranks(self, *kinds: type[BaseException]) -> Iterator[None]:
        """Mark errors raised inside as known to occur on every rank."""
        yield

    @contextmanager
    def abort_on_local_error(self) -> Iterator[None]:
        """Abort all ranks if this one fails alone, because the others would deadlock."""
        yield


ALONE = Ranks()
