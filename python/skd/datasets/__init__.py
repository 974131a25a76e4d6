"""Data sets for few-shot learning."""

from skd.datasets._loading import load
from skd.datasets._split import FewShotData, Split, from_arrays

__all__ = ["FewShotData", "Split", "from_arrays", "load"]
