"""Operations of the networks, forward and backward, on NHWC float32 arrays.

Every function returns new arrays and does not change its arguments. Names of gradients begin with
`d_`; ``*_backward`` takes the gradient of the output and returns the gradients of the inputs.
"""

from skd.ops._activation import leaky_relu, leaky_relu_backward, relu, relu_backward
from skd.ops._convolution import conv2d, conv2d_backward, linear, linear_backward
from skd.ops._normalization import BatchNorm, batch_norm2d, batch_norm2d_backward
from skd.ops._optimization import sgd_step
from skd.ops._pooling import (
    global_average_pool,
    global_average_pool_backward,
    max_pool2d,
    max_pool2d_backward,
)
from skd.ops._regularization import (
    drop_block,
    drop_block_backward,
    drop_block_corners,
    drop_block_gamma,
    dropout,
    dropout_backward,
    dropout_mask,
)
from skd.ops._rotation import rotate
from skd.ops._squeeze_excitation import squeeze_excitation, squeeze_excitation_backward

__all__ = [
    "BatchNorm",
    "batch_norm2d",
    "batch_norm2d_backward",
    "conv2d",
    "conv2d_backward",
    "drop_block",
    "drop_block_backward",
    "drop_block_corners",
    "drop_block_gamma",
    "dropout",
    "dropout_backward",
    "dropout_mask",
    "global_average_pool",
    "global_average_pool_backward",
    "leaky_relu",
    "leaky_relu_backward",
    "linear",
    "linear_backward",
    "max_pool2d",
    "max_pool2d_backward",
    "relu",
    "relu_backward",
    "rotate",
    "sgd_step",
    "squeeze_excitation",
    "squeeze_excitation_backward",
]
