"""The script around a run in several processes: its communicator, its threads, its end."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from typing import TYPE_CHECKING

from skd import _native
from skd.distributed.mpi_ranks import abort, checked_communicator, mpi
from skd.machine import set_num_threads

if TYPE_CHECKING:
    from mpi4py.MPI import Intracomm

# What MPICH and its kin, Open MPI, and launchers by PMIx tell the processes they start.
LAUNCHERS = ("PMI_RANK", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "PMIX_RANK")


def launched_communicator() -> Intracomm | None:
    """Return the communicator of the processes that were launched with this one.

    Returns
    -------
    communicator : mpi4py.MPI.Intracomm or None
        ``MPI.COMM_WORLD`` under ``mpirun`` and its like with more than one process; None where no
        launcher is at work, which neither needs nor imports mpi4py.

    Raises
    ------
    ImportError
        If there is a launcher, but no mpi4py: each process would train by itself.

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

    By default every process takes all of them, and they disturb each other.

    Parameters
    ----------
    communicator : mpi4py.MPI.Intracomm
        All its processes must call this.

    Returns
    -------
    threads : int
        What `skd.set_num_threads` was called with; at least 1.
    """
    checked = checked_communicator(communicator, "share_threads")
    machine = checked.Split_type(mpi().COMM_TYPE_SHARED)
    rank, affinities = machine.rank, machine.allgather(os.sched_getaffinity(0))
    machine.Free()
    threads = _share(affinities, rank, _native.available_processors())
    set_num_threads(threads)
    return threads


def _share(affinities: Sequence[Set[int]], rank: int, processors: int) -> int:
    """Return the threads of a process of a machine.

    Parameters
    ----------
    affinities : sequence of set of int
        Processors that each process of the machine may run on. The launcher may have bound each to
        some, and a container all to the same.
    rank : int
        Which of them this process is.
    processors : int
        What it could use alone: fewer than in its set where a container has a limit of time.
    """
    own = affinities[rank]
    sharing = affinities if processors < len(own) else [a for a in affinities if a & own]
    return min(max(processors // len(sharing), 1), 256)


@contextmanager
def abort_on_error(communicator: Intracomm | None) -> Iterator[None]:
    """End all processes if this one fails within the context.

    MPI does not end a run when one of its processes raises: the others wait for it forever. The
    objectives and `skd.evaluate` take care of that while they are at work; this does for the rest
    of a script, as ``python -m mpi4py`` does for a whole one.

    Parameters
    ----------
    communicator : mpi4py.MPI.Intracomm or None
        Nothing is done for None. ``SystemExit`` is let through.

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
