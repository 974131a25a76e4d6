"""Processes of ``mpirun``: all compute, and only the first one prints."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING

import typer

from skd.distributed import launched_communicator, share_threads
from skd.machine import set_num_threads

if TYPE_CHECKING:
    from mpi4py.MPI import Intracomm


def join(threads: int | None) -> Intracomm | None:
    """Set the number of threads, and return the communicator if there are other processes.

    Parameters
    ----------
    threads : int or None
        Number of threads of each process; by default they share the processors.
    """
    communicator = launched_communicator()
    if threads is not None:
        set_num_threads(threads)
    elif communicator is not None:
        share_threads(communicator)
    return communicator


def say(text: str, *, err: bool = False) -> None:
    """Print a text in the first process; failures of the standard error are ignored."""
    if is_first():
        with suppress(OSError) if err else nullcontext():
            typer.echo(text, err=err)


def is_first() -> bool:
    """Whether this is the process that prints."""
    try:
        communicator = launched_communicator()
    except ImportError:  # without MPI each process is alone
        return True
    return communicator is None or communicator.rank == 0
