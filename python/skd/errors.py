"""The exceptions of the package, besides Python's own ``ValueError`` and ``TypeError``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


class SKDError(Exception):
    """A computation failed for a reason other than a wrong argument."""


class NonFiniteLossError(SKDError):
    """A step came out NaN or infinite; the model is as it was before the step.

    That is a loss, a gradient, or a parameter or velocity after the update.

    Attributes
    ----------
    step : int or None
        Number of the step that failed, from 1.
    terms : dict of str to float
        Terms of the loss of that step.
    checkpoint : Path or None
        The newest checkpoint that `fit` wrote before, if there is one.
    """

    def __init__(
        self,
        message: str = "",
        *,
        step: int | None = None,
        terms: Mapping[str, float] | None = None,
        checkpoint: Path | None = None,
    ) -> None:
        super().__init__(message)
        self.step = step
        self.terms = dict(terms or {})
        self.checkpoint = checkpoint


class DamagedCheckpointError(SKDError):
    """A file is cut short or changed: it is no whole checkpoint."""


class WriteError(SKDError, OSError):
    """A file or a folder could not be written, as on a full disk; the message says what was kept.

    Attributes
    ----------
    errno : int
        Number of the system's error, such as ``errno.ENOSPC``.
    strerror : str
        The system's words for it.
    filename : str
        File or folder that could not be written.
    kept : str
        Sentence on the state of that file now.
    checkpoint : Path or None
        The newest checkpoint from which `fit` can resume, if there is one.
    """

    def __init__(
        self,
        errno: int,
        strerror: str,
        filename: str,
        kept: str = "",
        *,
        checkpoint: Path | None = None,
    ) -> None:
        super().__init__(errno, strerror, filename)
        self.kept = kept
        self.checkpoint = checkpoint

    def __str__(self) -> str:
        """Return the system's words, the file, and what was kept."""
        text = f"[Errno {self.errno}] {self.strerror}, writing {self.filename!r}. {self.kept}"
        if self.checkpoint is not None:
            text += f" Training can be resumed from {str(self.checkpoint)!r}."
        return text.rstrip()


class DataError(SKDError, ValueError):
    """A file of a data set is damaged, is not what its name says, or may not be read."""


class ConvergenceWarning(UserWarning):
    """A solver stopped before it was as near to the minimum as its `tol` asks for.

    Where scikit-learn is loaded, the warning is also its `sklearn.exceptions.ConvergenceWarning`,
    so that a filter for either serves.
    """


class NotFittedError(SKDError, ValueError, AttributeError):
    """A classifier was asked before it was fitted."""
