"""Support for scripts of several processes: communicator, threads and errors."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from typing import TYPE_CHECKING

from skd import _native
from skd.distributed.mpi_ranks import abort, checked_communicator, mpi
from skd.machine import set_num_threads, threads_of_environment

if TYPE_CHECKING:
    from mpi4py.MPI import Intracomm

# Environment variables that MPICH and its relatives, Open MPI, and PMIx launchers set.
LAUNCHERS = ("PMI_RANK", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "PMIX_RANK")


def launched_communicator() -> Intracomm | None:
    """Return the communicator of the processes that were launched with this one.

    Returns
    -------
    communicator : mpi4py.MPI.Intracomm or None
        ``MPI.COMM_WORLD`` under ``mpirun`` or a similar launcher with more than one process; None
        without a launcher, in which case mpi4py is neither needed nor imported.

    Raises
    ------
    ImportError
        If there is a launcher but no mpi4py; each process would train alone.

    Examples
    --------
    >>> launched_communicator() is None  # not under mpirun
    True
    """
    if not any(name in os.environ for name in LAUNCHERS):
        return None
    world: Intracomm = mpi().COMM_WORLD
    return world if world.size > 1 else None


def share_threads(communicator: Intracomm) -> int:
    """Give each process of this machine an equal share of its processors, as threads.

    By default every process uses all processors, and the processes slow each other down. A number
    of threads in ``SKD_NUM_THREADS`` or ``OMP_NUM_THREADS`` takes the place of the share.

    Parameters
    ----------
    communicator : mpi4py.MPI.Intracomm
        Communicator, all of whose processes must call this function.

    Returns
    -------
    threads : int
        Number of threads that was set, at least 1.
    """
    checked = checked_communicator(communicator, "share_threads")
    machine = checked.Split_type(mpi().COMM_TYPE_SHARED)
    rank, affinities = machine.rank, machine.allgather(os.sched_getaffinity(0))
    machine.Free()
    share = _share(affinities, rank, _native.available_processors())
    threads = threads_of_environment() or share
    set_num_threads(threads)
    return threads


def _share(affinities: Sequence[Set[int]], rank: int, processors: int) -> int:
    """Return the number of threads of a process on a machine.

    Parameters
    ----------
    affinities : sequence of set of int
        Processors that each process of the machine may run on. A launcher may bind each process to
        some of them, a container all processes to the same ones.
    rank : int
        Number of this process on the machine.
    processors : int
        Processors that the process could use alone; fewer than in its set if a container limits CPU
        time.
    """
    own = affinities[rank]
    sharing = affinities if processors < len(own) else [a for a in affinities if a & own]
    return min(max(processors // len(sharing), 1), 256)


@contextmanager
def abort_on_error(communicator: Intracomm | None) -> Iterator[None]:
    """End all processes if this one fails within the context.

    If one process raises an error, MPI does not end the run, and the other processes deadlock. The
    objectives and `skd.evaluate` handle this themselves. This context handles it for the rest of a
    script, as ``python -m mpi4py`` does for a whole script.

    Parameters
    ----------
    communicator : mpi4py.MPI.Intracomm or None
        Communicator of the processes; None has no effect. ``SystemExit`` does not count as an
        error.

    Examples
    --------
    >>> with abort_on_error(launched_communicator()):
    ...     pass
    """
    if communicator is None:
        yield
        return
    checked = checked_communicator(communicator, "abort_on_error")
    try:
        yield
    except SystemExit:
        raise
    except BaseException as error:
        abort(checked, error)
