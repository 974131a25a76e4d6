"""Event files that TensorBoard shows."""

from __future__ import annotations

from os import PathLike
from typing import Any

from skd import _validation as check
from skd.callbacks._metrics import EVERY_STEPS, MetricsCallback
from skd.callbacks._protocol import RunStart


class TensorBoard(MetricsCallback):
    """Writes event files; look at them with ``tensorboard --logdir FOLDER``.

    Needs tensorboardX, which the extra ``logs`` brings.

    Parameters
    ----------
    folder : str or path
        Where to write; it is made. A resumed run takes back what was logged after its checkpoint.
    every_steps : int, default=10
        Which steps are logged; all epochs are.

    Raises
    ------
    ImportError
        If tensorboardX is missing.
    """

    def __init__(self, folder: str | PathLike[str], *, every_steps: int = EVERY_STEPS) -> None:
        super().__init__(every_steps=every_steps)
        from tensorboardX import SummaryWriter

        self.folder = check.path(folder, "folder", "TensorBoard")
        self._open = SummaryWriter
        self._writer: Any = None

    def on_begin(self, start: RunStart) -> None:
        """Open a new event file."""
        super().on_begin(start)
        purge = {"purge_step": start.steps_done + 1} if start.steps_done else {}
        self._writer = self._open(str(self.folder), **purge)

    def log(self, metrics: dict[str, float], step: int) -> None:
        """Keep some numbers; see `MetricsCallback.log`."""
        for name, value in metrics.items():
            self._writer.add_scalar(name, value, step)

    def on_end(self, error: BaseException | None) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()
