"""Speed of this machine, operations of a network, and times of its convolutions.

Floating-point operations are counted for direct convolution, two per multiply-add, whatever the
algorithm. Winograd's algorithm needs fewer, so its rate may exceed the peak.
"""

from skd.machine import (
    ALGORITHMS,
    PASSES,
    ConvolutionLayer,
    ConvolutionShape,
    ConvolutionTimes,
    forward_flops,
    peak_gflops,
    resnet12_convolutions,
    training_flops,
)

__all__ = [
    "ALGORITHMS",
    "PASSES",
    "ConvolutionLayer",
    "ConvolutionShape",
    "ConvolutionTimes",
    "forward_flops",
    "peak_gflops",
    "resnet12_convolutions",
    "training_flops",
]
