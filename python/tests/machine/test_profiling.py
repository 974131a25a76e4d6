"""What networks cost is counted rightly; measurements are plausible and refuse nonsense."""

import math

import numpy as np
import pytest
from bad_input import NAN, assert_refused

import skd
from skd.profiling import (
    ALGORITHMS,
    PASSES,
    ConvolutionShape,
    forward_flops,
    resnet12_convolutions,
    training_flops,
)

SMALL = ConvolutionShape(2, 5, 6, 32, 64, kernel_size=3, padding=1)
POINTWISE = ConvolutionShape(2, 5, 6, 32, 64, kernel_size=1)


@pytest.mark.parametrize("threads", [None, 1])
def test_peak_is_finite_and_positive(threads):
    peak = skd.peak_gflops(threads=threads)
    assert math.isfinite(peak)
    assert peak > 0


@pytest.mark.parametrize(
    ("threads", "error"),
    [(0, ValueError), (-1, ValueError), (2**70, ValueError), (1.5, TypeError), ("1", TypeError)],
)
def test_peak_refuses_other_numbers_of_threads(threads, error):
    assert_refused(error, "'threads' parameter of peak_gflops", lambda: skd.peak_gflops(threads))


def test_peak_refuses_more_threads_than_are_set():
    more = skd.get_num_threads() + 1
    assert_refused(ValueError, f"got {more}", lambda: skd.peak_gflops(more))


def test_operations_of_a_convolution_are_two_for_each_product():
    # 2 images of 3 x 2 outputs, 5 x 5 products of 3 channels for each of 7 outputs.
    shape = ConvolutionShape(2, 6, 4, 3, 7, kernel_size=5, stride=2, padding=2)
    assert (shape.output_height, shape.output_width) == (3, 2)
    assert shape.flops == 2 * (2 * 3 * 2) * (5 * 5 * 3 * 7)


def test_output_extents_are_those_of_the_convolution():
    shape = ConvolutionShape(1, 7, 9, 2, 3, kernel_size=3, stride=2, padding=1)
    output = skd.ops.conv2d(
        np.zeros((1, 7, 9, 2)), np.zeros((3, 2, 3, 3)), stride=shape.stride, padding=shape.padding
    )
    assert output.shape == (1, shape.output_height, shape.output_width, 3)


def test_layers_are_the_convolutions_of_the_model(make_model):
    widths = (8, 8, 16, 24)
    state = make_model(widths=widths, input_channels=4).state_dict()
    layers = resnet12_convolutions(1, 16, widths=widths, input_channels=4)
    kernels = {
        f"{layer.name}.weight": (
            layer.shape.output_channels,
            layer.shape.input_channels,
            layer.shape.kernel_size,
            layer.shape.kernel_size,
        )
        for layer in layers
    }
    assert kernels == {name: view.shape for name, view in state.items() if view.ndim == 4}


def test_images_of_84_pixels_are_halved_as_the_pools_do():
    sides = [layer.shape.height for layer in resnet12_convolutions(1, 84)]
    assert sides == [84] * 4 + [42] * 4 + [21] * 4 + [10] * 4


@pytest.mark.parametrize(("side", "billions"), [(32, 0.52), (84, 3.5)])
def test_a_forward_pass_has_the_products_that_the_specification_states(side, billions):
    products = forward_flops(resnet12_convolutions(1, side)) / 2e9
    assert products == pytest.approx(billions, rel=0.01)  # stated with two digits


def test_a_training_step_is_three_passes_but_no_gradient_of_the_images():
    layers = resnet12_convolutions(5, 32)
    # 3x3 and 1x1 kernels from 3 to 64 channels at each pixel.
    of_images = 2 * 5 * 32 * 32 * (9 + 1) * 3 * 64
    assert training_flops(layers) == 3 * forward_flops(layers) - of_images


WRONG_SHAPES = {
    "no images": (ValueError, "'batch'", {"batch": 0}),
    "a huge side": (ValueError, "'height'", {"height": 2**40}),
    "a side that is no integer": (TypeError, "'width'", {"width": 4.0}),
    "no channels": (ValueError, "'input_channels'", {"input_channels": 0}),
    "text": (TypeError, "'output_channels'", {"output_channels": "many"}),
    "an even larger kernel": (ValueError, "'kernel_size'", {"kernel_size": 12}),
    "a kernel that is no number": (TypeError, "'kernel_size'", {"kernel_size": None}),
    "a kernel beyond the image": (ValueError, "'kernel_size'", {"kernel_size": 9, "padding": 0}),
    "stride 3": (ValueError, "'stride'", {"stride": 3}),
    "padding of the kernel's size": (ValueError, "'padding'", {"padding": 3}),
    "padding that is no number": (TypeError, "'padding'", {"padding": NAN}),
}


@pytest.mark.parametrize("case", WRONG_SHAPES)
def test_a_wrong_shape_is_refused(case):
    error, named, changes = WRONG_SHAPES[case]
    extents = {
        "batch": 1,
        "height": 4,
        "width": 4,
        "input_channels": 3,
        "output_channels": 2,
        "kernel_size": 3,
        "padding": 1,
    }
    assert_refused(error, named, lambda: ConvolutionShape(**{**extents, **changes}))


WRONG_NETWORKS = {
    "no images": (ValueError, "'batch'", lambda: resnet12_convolutions(0, 32)),
    "small images": (ValueError, "'image_size'", lambda: resnet12_convolutions(1, 15)),
    "widths that are no numbers": (
        TypeError,
        "'widths'",
        lambda: resnet12_convolutions(1, 32, widths="64"),
    ),
    "no channels": (
        ValueError,
        "'input_channels'",
        lambda: resnet12_convolutions(1, 32, input_channels=0),
    ),
    "no stages": (ValueError, "'widths'", lambda: resnet12_convolutions(1, 32, widths=())),
    "stages beyond the image": (
        ValueError,
        "'widths'",
        lambda: resnet12_convolutions(1, 16, widths=(8,) * 6),
    ),
}


@pytest.mark.parametrize("case", WRONG_NETWORKS)
def test_a_wrong_network_is_refused(case):
    assert_refused(*WRONG_NETWORKS[case])


def test_the_algorithm_depends_on_the_shape():
    assert ConvolutionShape(64, 32, 32, 64, 64, kernel_size=3, padding=1).algorithm == "winograd"
    assert ConvolutionShape(64, 32, 32, 3, 64, kernel_size=3, padding=1).algorithm == "gemm"


def test_the_algorithm_depends_on_whether_the_weights_are_kept():
    image = ConvolutionShape(1, 16, 16, 96, 96, kernel_size=3, padding=1)
    assert image.algorithm == image.algorithm_for("weight_gradient") == "gemm"
    assert image.algorithm_for("evaluation") == "winograd"


def test_the_chosen_algorithm_supports_the_shape():
    for layer in resnet12_convolutions(16, 84):
        assert layer.shape.supports(layer.shape.algorithm)


def test_winograd_does_not_support_pointwise_kernels():
    assert SMALL.supports("winograd")
    assert SMALL.supports("winograd_bfloat16")
    assert not POINTWISE.supports("winograd")
    assert not POINTWISE.supports("winograd_bfloat16")
    assert POINTWISE.supports("gemm")


@pytest.mark.parametrize("algorithm", ["automatic", *ALGORITHMS])
@pytest.mark.parametrize("computation", PASSES)
def test_every_pass_is_timed_by_every_algorithm(computation, algorithm):
    times = SMALL.time(computation, algorithm=algorithm, runs=3)
    assert times.kernel.shape == times.pack.shape == (3,)
    assert (times.kernel > 0).all()
    assert (times.pack >= 0).all()
    assert computation != "weight_gradient" or not times.pack.any()


WRONG_TIMINGS = {
    "an unknown pass": (ValueError, "'computation'", lambda: SMALL.time("backward")),
    "an unknown algorithm": (ValueError, "'algorithm'", lambda: SMALL.time(algorithm="fft")),
    "an unsupported algorithm": (
        ValueError,
        "'algorithm'",
        lambda: POINTWISE.time(algorithm="winograd"),
    ),
    "a question for an unknown one": (ValueError, "'algorithm'", lambda: SMALL.supports("fft")),
    "no runs": (ValueError, "'runs'", lambda: SMALL.time(runs=0)),
    "many runs": (ValueError, "'runs'", lambda: SMALL.time(runs=2**70)),
    "runs that are no integer": (TypeError, "'runs'", lambda: SMALL.time(runs="3")),
    "more elements than the library takes": (
        ValueError,
        "extents",
        lambda: ConvolutionShape(2**20, 2**20, 8, 1, 1, kernel_size=1).time(),
    ),
    "a choice for an unknown pass": (
        ValueError,
        "'computation'",
        lambda: SMALL.algorithm_for("backward"),
    ),
    "a choice for as many": (
        ValueError,
        "extents",
        lambda: ConvolutionShape(2**20, 2**20, 8, 1, 1, kernel_size=1).algorithm,
    ),
    "more than the memory": (
        MemoryError,
        "memory",
        lambda: ConvolutionShape(2**20, 2**10, 2**10, 1, 1, kernel_size=1).time(),
    ),
}


@pytest.mark.parametrize("case", WRONG_TIMINGS)
def test_a_wrong_timing_is_refused(case):
    assert_refused(*WRONG_TIMINGS[case])
