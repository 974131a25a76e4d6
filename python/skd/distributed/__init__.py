"""Training and evaluation in several processes, connected by MPI.

Objectives and `skd.evaluate` take the communicator of the processes as their argument
`communicator`. This module is for the script that calls them; docs/how-to/distributed.md shows one.
"""

from skd.distributed._launch import abort_on_error, launched_communicator, share_threads

__all__ = ["abort_on_error", "launched_communicator", "share_threads"]
