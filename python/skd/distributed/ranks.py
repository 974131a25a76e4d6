"""The processes that train or evaluate together; here those that are alone.

What is written against `Ranks` serves one process and many: `MPIRanks` is the other kind.
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
    """The one process of a run."""

    #: Number of this process, and how many there are.
    rank = 0
    size = 1
    communicator: Intracomm | None = None

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def slice_of(self, count: int, rank: int | None = None) -> slice:
        """Return which of `count` things in a row a process has; by default this one."""
        rank = self.rank if rank is None else rank
        return slice(count * rank // self.size, count * (rank + 1) // self.size)

    def share(self, images: int, *, sync_batch_norm: bool) -> Share | None:
        """Return what the library takes as the share of a batch; None if it is the whole one."""
        return None

    def mean(self, values: Mapping[str, float], weight: float) -> dict[str, float]:
        """Return the weighted means over all processes."""
        return dict(values)

    def largest(self, value: int) -> int:
        """Return the largest of an integer of each process."""
        return value

    def broadcast(self, value: Value) -> Value:
        """Return what the first process gave."""
        return value

    def gathered(self, rows: NDArray[Any], count: int) -> NDArray[Any]:
        """Return `count` rows of which each process gives those of its slice."""
        return rows

    def require_equal(self, content: Mapping[str, Any], owner: str) -> None:
        """Refuse in all processes what is not equal in all of them."""

    @contextmanager
    def raise_on_all_ranks(self) -> Iterator[None]:
        """Raise in all processes if what is within fails in one; it must not use the others."""
        yield

    @contextmanager
    def errors_on_all_ranks(self, *kinds: type[BaseException]) -> Iterator[None]:
        """Note that what fails so within fails in all processes."""
        yield

    @contextmanager
    def abort_on_local_error(self) -> Iterator[None]:
        """End all processes if this one fails alone, for the others would wait for it forever."""
        yield


ALONE = Ranks()
