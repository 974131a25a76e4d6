"""Wrong arguments of `skd.ops` and `skd.losses` raise an error that names them."""

import numpy as np
import pytest
from bad_input import NAN, assert_refused

from skd import losses, ops

IMAGES = np.zeros((2, 4, 4, 3), dtype=np.float32)
PIXELS = np.zeros((2, 4, 4, 3), dtype=np.uint8)
ONES = np.ones(3, dtype=np.float32)
HUGE = 2**70

WRONG_OPERATIONS = {
    "conv2d of a vector": (ValueError, "'x'", lambda: ops.conv2d([1.0], [[[[1]]]])),
    "conv2d of text": (TypeError, "'x'", lambda: ops.conv2d("image", [[[[1]]]])),
    "conv2d of objects": (TypeError, "'x'", lambda: ops.conv2d([[None]], [[[[1]]]])),
    "conv2d of ragged lists": (TypeError, "'x'", lambda: ops.conv2d([[1], [2, 3]], [[[[1]]]])),
    "conv2d of complex": (TypeError, "'x'", lambda: ops.conv2d(IMAGES * 1j, [[[[1]]]])),
    "conv2d with other channels": (
        ValueError,
        "'weight'",
        lambda: ops.conv2d(IMAGES, np.ones((1, 2, 3, 3))),
    ),
    "conv2d with an oblong kernel": (
        ValueError,
        "'weight'",
        lambda: ops.conv2d(IMAGES, np.ones((1, 3, 3, 2))),
    ),
    "conv2d with a large kernel": (
        ValueError,
        "'x'",
        lambda: ops.conv2d(IMAGES, np.ones((1, 3, 5, 5))),
    ),
    "conv2d with stride 3": (
        ValueError,
        "'stride'",
        lambda: ops.conv2d(IMAGES, np.ones((1, 3, 1, 1)), stride=3),
    ),
    "conv2d with a fractional stride": (
        TypeError,
        "'stride'",
        lambda: ops.conv2d(IMAGES, np.ones((1, 3, 1, 1)), stride=1.5),
    ),
    "conv2d with much padding": (
        ValueError,
        "'padding'",
        lambda: ops.conv2d(IMAGES, np.ones((1, 3, 3, 3)), padding=HUGE),
    ),
    "conv2d with a long bias": (
        ValueError,
        "'bias'",
        lambda: ops.conv2d(IMAGES, np.ones((1, 3, 1, 1)), [1, 2]),
    ),
    "conv2d_backward with a small gradient": (
        ValueError,
        "'d_output'",
        lambda: ops.conv2d_backward(IMAGES, np.ones((1, 3, 1, 1)), np.ones((2, 3, 4, 1))),
    ),
    "linear with other features": (
        ValueError,
        "'weight'",
        lambda: ops.linear([[1.0, 2.0]], [[1.0]]),
    ),
    "max_pool2d of one pixel": (ValueError, "'x'", lambda: ops.max_pool2d(IMAGES[:, :1, :1])),
    "global_average_pool of a matrix": (
        ValueError,
        "'x'",
        lambda: ops.global_average_pool([[1.0]]),
    ),
    "batch_norm2d with few weights": (
        ValueError,
        "'weight'",
        lambda: ops.batch_norm2d(IMAGES, [1], ONES, ONES, ONES),
    ),
    "batch_norm2d of one value in training": (
        ValueError,
        "'x' parameter of batch_norm2d must have at least 2 values per channel; got 1",
        lambda: ops.batch_norm2d(IMAGES[:1, :1, :1], ONES, ONES, ONES, ONES, training=True),
    ),
    "batch_norm2d with a negative eps": (
        ValueError,
        "'eps'",
        lambda: ops.batch_norm2d(IMAGES, ONES, ONES, ONES, ONES, eps=-1),
    ),
    "leaky_relu with slope NaN": (ValueError, "'slope'", lambda: ops.leaky_relu([1], slope=NAN)),
    "leaky_relu_backward of other shapes": (
        ValueError,
        "'d_output'",
        lambda: ops.leaky_relu_backward([1.0], [1.0, 2.0]),
    ),
    "dropout with rate 1": (ValueError, "'rate'", lambda: ops.dropout([1.0], [1], rate=1)),
    "dropout with a short mask": (
        ValueError,
        "'kept'",
        lambda: ops.dropout([1.0, 2.0], [1], rate=0.5),
    ),
    "dropout with bytes beyond 1 in its mask": (
        ValueError,
        "'kept'",
        lambda: ops.dropout([1.0, 2.0], np.array([1, 2], dtype=np.uint8), rate=0.5),
    ),
    "dropout with negative numbers in its mask": (
        ValueError,
        "'kept'",
        lambda: ops.dropout([1.0, 2.0], [1, -1], rate=0.5),
    ),
    "dropout_mask with a negative seed": (
        ValueError,
        "'seed'",
        lambda: ops.dropout_mask((2,), rate=0.5, seed=-1),
    ),
    "dropout_mask of too many dimensions": (
        ValueError,
        "'shape'",
        lambda: ops.dropout_mask((0,) * 2000, rate=0.5, seed=0),
    ),
    "dropout_mask of a shape without end": (
        TypeError,
        "'shape'",
        lambda: ops.dropout_mask(iter(int, 1), rate=0.5, seed=0),
    ),
    "drop_block with a large block": (
        ValueError,
        "'block_size'",
        lambda: ops.drop_block(IMAGES, PIXELS, block_size=5),
    ),
    "drop_block with other corners": (
        ValueError,
        "'corners'",
        lambda: ops.drop_block(IMAGES, PIXELS, block_size=2),
    ),
    "drop_block_corners with block 0": (
        ValueError,
        "'block_size'",
        lambda: ops.drop_block_corners((1, 4, 4, 1), block_size=0, gamma=0.1, seed=0),
    ),
    "squeeze_excitation with other weights": (
        ValueError,
        "'weight2'",
        lambda: ops.squeeze_excitation(IMAGES, np.ones((2, 3)), [0, 0], np.ones((2, 2)), ONES),
    ),
    "rotate by 5 quarter turns": (ValueError, "'quarter_turns'", lambda: ops.rotate(IMAGES, 5)),
    "rotate of oblong images": (ValueError, "'images'", lambda: ops.rotate(IMAGES[:, :3], 1)),
    "sgd_step of other shapes": (
        ValueError,
        "'d_parameter'",
        lambda: ops.sgd_step([1.0], [1.0, 2.0]),
    ),
    "cross_entropy with a label out of range": (
        ValueError,
        "labels",
        lambda: losses.cross_entropy([[1.0, 2.0]], [2]),
    ),
    "cross_entropy with a negative label": (
        ValueError,
        "labels",
        lambda: losses.cross_entropy([[1.0, 2.0]], [-1]),
    ),
    "cross_entropy with fractional labels": (
        TypeError,
        "'labels'",
        lambda: losses.cross_entropy([[1.0, 2.0]], [0.5]),
    ),
    "cross_entropy with labels beyond int64": (
        ValueError,
        "'labels'",
        lambda: losses.cross_entropy([[1.0]], np.array([2**63], dtype=np.uint64)),
    ),
    "cross_entropy with few labels": (
        ValueError,
        "'labels'",
        lambda: losses.cross_entropy([[1.0], [2.0]], [0]),
    ),
    "distill_kl at temperature 0": (
        ValueError,
        "'temperature'",
        lambda: losses.distill_kl([[1.0]], [[1.0]], temperature=0),
    ),
    "twin_l2 of other shapes": (
        ValueError,
        "'upright'",
        lambda: losses.twin_l2([[1.0]], [[1.0, 2.0]]),
    ),
}


@pytest.mark.parametrize("case", WRONG_OPERATIONS)
def test_wrong_argument_is_named(case):
    assert_refused(*WRONG_OPERATIONS[case])


def test_a_mask_may_be_of_any_type_of_numbers():
    for dtype in (bool, np.uint8, np.int64, np.float32):
        kept = np.array([1, 0], dtype=dtype)
        np.testing.assert_array_equal(ops.dropout([1.0, 2.0], kept, rate=0.5), [2, 0])
    assert ops.dropout(np.zeros(0), np.zeros(0, np.uint8), rate=0.5).size == 0
