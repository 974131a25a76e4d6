"""The error of files whose weights cannot be read."""

from __future__ import annotations


class UnreadableFileError(Exception):
    """A file holds no weights that are read, is damaged, or asks for what is not granted.

    The functions that users call turn it into a ValueError, which names the file.
    """
