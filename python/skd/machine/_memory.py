"""Memory that is available, and memory that the library holds."""

from __future__ import annotations

from skd import _native


def available_memory() -> int:
    """Return the memory that can be allocated without swapping.

    Returns
    -------
    available_memory : int
        Bytes, estimated by the operating system. Limits of the process count too: control groups of
        a container or a batch system, and ``ulimit -v``.

    See Also
    --------
    Model.evaluation_memory : Memory of an evaluation.
    Gen0.step_memory : Memory of a training step.

    Examples
    --------
    >>> available_memory() > 0
    True
    """
    return _native.available_memory()


def live_memory() -> int:
    """Return the memory that the library's buffers hold now.

    These are the buffers of all models and trainers, and up to 128 MB that the operations of
    `skd.ops` keep for the next one.

    Returns
    -------
    live_memory : int
        Bytes, without NumPy's arrays.

    Examples
    --------
    >>> before = live_memory()
    >>> model = skd.create_model("convnet4", num_classes=2, image_size=16)
    >>> live_memory() - before > 4 * model.parameter_count
    True
    """
    return _native.live_memory()
