"""Networks and classifiers as ONNX files, which other programs run without this package."""

from skd.exporting._file import INPUTS, network_file
from skd.exporting.heads import HEADS, Exportable, Head

__all__ = ["HEADS", "INPUTS", "Exportable", "Head", "network_file"]
