"""How fast this machine can compute, what a network costs, and how long its convolutions take.

Floating-point operations are those of direct convolution, two for each multiply-add, whatever the
algorithm: Winograd's saving shows as a higher rate, and its share of the peak may exceed 1.
"""

from skd.profiling._convolutions import ALGORITHMS, PASSES, ConvolutionShape, ConvolutionTimes
from skd.profiling._networks import (
    ConvolutionLayer,
    forward_flops,
    resnet12_convolutions,
    training_flops,
)
from skd.profiling._peak import peak_gflops

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
