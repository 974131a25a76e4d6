"""How much memory there is, and how much the library holds."""

from __future__ import annotations

from skd import _native


def available_memory() -> int:
    """Return how much memory can still be had without swapping.

    Returns
    -------
    available_memory : int
        Bytes, an estimate of the operating system. Where the process has less than the machine,
        by the control groups of a container or a batch system or by ``ulimit -v``, it is less.

    See Also
    --------
    Model.evaluation_memory : What an evaluation takes.
    Gen0.step_memory : What a training step takes.

    Examples
    --------
    >>> available_memory() > 0
    True
    """
    return _native.available_memory()


def live_memory() -> int:
    """Return how much memory the buffers of all models and trainers hold at the moment.

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
