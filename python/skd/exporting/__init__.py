"""Networks and classifiers as ONNX files, which other programs run without this package."""

from skd.exporting._file import INPUTS, network_file
from skd.exporting.heads import HEADS, Exportable, Head, Outlier, head_of

__all__ = ["HEADS", "INPUTS", "Exportable", "Head", "Outlier", "head_of", "network_file"]
