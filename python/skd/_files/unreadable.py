"""The error about files whose weights cannot be read."""

from __future__ import annotations


class UnreadableFileError(Exception):
    """A file holds no readable weights, is damaged, or would run code.

    Public functions turn it into a ValueError that names the file.
    """
