"""Training and evaluating in several processes, which MPI connects.

Objectives and `skd.evaluate` take the communicator of the processes as their argument
`communicator`. This module is for the script around them; docs/distributed.md shows one.
"""

from skd.distributed._launch import abort_on_error, launched_communicator, share_threads

__all__ = ["abort_on_error", "launched_communicator", "share_threads"]
