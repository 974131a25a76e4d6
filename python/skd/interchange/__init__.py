"""Weights of other programs."""

from skd.interchange._import_torch import import_torch

__all__ = [
    "import_torch",
]
