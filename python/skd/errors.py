"""Exceptions of the package, besides Python's ``ValueError`` and ``TypeError``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


class SKDError(Exception):
    """A computation failed for a reason other than a wrong argument."""


class NonFiniteLossError(SKDError):
    """A step gave NaN or infinite values; the model keeps the state before the step.

    The value is a loss, a gradient, or a parameter or velocity after the update.

    Attributes
    ----------
    step : int or None
        Number of the step that failed, from 1.
    terms : dict of str to float
        Terms of the loss of that step.
    checkpoint : Path or None
        Newest checkpoint that `fit` wrote, if there is one.
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
    """A checkpoint file is incomplete or changed."""


class WriteError(SKDError, OSError):
    """A file or folder could not be written; the message says what was kept.

    Attributes
    ----------
    errno : int
        Number of the system's error, such as ``errno.ENOSPC``.
    strerror : str
        Message of the system.
    filename : str
        File or folder that could not be written.
    kept : str
        Sentence about the state of the file.
    checkpoint : Path or None
        Newest checkpoint from which `fit` can resume, if there is one.
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
        """Return the system's message, the file, and what was kept."""
        text = f"[Errno {self.errno}] {self.strerror}, writing {self.filename!r}. {self.kept}"
        if self.checkpoint is not None:
            text += f" Training can be resumed from {str(self.checkpoint)!r}."
        return text.rstrip()


class DataError(SKDError, ValueError):
    """A file of a data set is damaged, of the wrong kind, or not readable."""


class SmallSplitWarning(UserWarning):
    """A split is too small for 5-way 1-shot episodes with 15 queries of each class."""


class ConvergenceWarning(UserWarning):
    """A solver stopped before it reached its tolerance `tol`.

    If scikit-learn is loaded, the warning is also a `sklearn.exceptions.ConvergenceWarning`, so
    that a filter for either works.
    """


class NotFittedError(SKDError, ValueError, AttributeError):
    """A classifier was used before it was fitted."""
