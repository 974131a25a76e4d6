"""How fast this machine can compute, what a network costs, and how long its convolutions take.

Floating-point operations are those of direct convolution, two for each multiply-add, whatever the
algorithm: Winograd's saving shows as a higher rate, and its share of the peak may exceed 1.
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
