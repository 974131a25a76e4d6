"""Convolutions: their operations, algorithms and times."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from skd import _native
from skd import _validation as check
from skd.choices import Algorithm, AnyAlgorithm, Computation, values

ALGORITHMS: tuple[Algorithm, ...] = values(Algorithm)
PASSES: tuple[Computation, ...] = values(Computation)

_ALGORITHM_CODES: dict[AnyAlgorithm, int] = {
    "automatic": _native.CONV2D_AUTOMATIC,
    "winograd": _native.CONV2D_WINOGRAD,
    "gemm": _native.CONV2D_GEMM,
    "winograd_bfloat16": _native.CONV2D_WINOGRAD_BFLOAT16,
}
_PASS_CODES: dict[Computation, int] = {
    "forward": _native.CONV2D_FORWARD,
    "input_gradient": _native.CONV2D_INPUT_GRADIENT,
    "weight_gradient": _native.CONV2D_WEIGHT_GRADIENT,
    "evaluation": _native.CONV2D_EVALUATION,
}
MAX_EXTENT = 2**20
MAX_RUNS = 10_000
MOST_WINOGRAD_PADDING = 2


@dataclass(frozen=True)
class ConvolutionTimes:
    """Times of the runs of one pass of a convolution.

    Attributes
    ----------
    kernel : ndarray of shape (runs,), dtype float64
        Seconds of the kernel itself.
    pack : ndarray of shape (runs,), dtype float64
        Seconds of packing the weights, which every training step repeats and an evaluation does
        not. It is 0 if a pass reads no weights, as for the weight gradient, or reads them as they
        are stored.
    """

    kernel: NDArray[np.float64]
    pack: NDArray[np.float64]


@dataclass(frozen=True)
class ConvolutionShape:
    """A convolution of square kernels over images in NHWC order.

    Parameters
    ----------
    batch, height, width, input_channels : int
        Extents of the images, each in 1..2**20.
    output_channels : int
        Channels of the output, in 1..2**20.
    kernel_size : int
        Side of the kernels, in 1..11.
    stride : {1, 2}, default=1
        Step of the kernel.
    padding : int, default=0
        Zeros on each side, in ``0..kernel_size - 1``.

    Raises
    ------
    ValueError
        If an extent is outside its domain, or the kernel is larger than the padded images.
    TypeError
        If an extent is not an integer.

    Examples
    --------
    >>> shape = ConvolutionShape(64, 32, 32, 64, 64, kernel_size=3, padding=1)
    >>> shape.flops / 1e9
    4.831838208
    >>> shape.algorithm
    'winograd'
    """

    batch: int
    height: int
    width: int
    input_channels: int
    output_channels: int
    kernel_size: int
    stride: int = 1
    padding: int = 0

    def __post_init__(self) -> None:
        """Check the extents."""
        owner = "ConvolutionShape"
        maxima = {"kernel_size": 11, "stride": 2}
        for field in fields(self):
            name, value = field.name, getattr(self, field.name)
            if name == "padding":  # the last field, after the kernel was checked
                value = check.integer(value, name, owner, maximum=self.kernel_size - 1)
            else:
                maximum = maxima.get(name, MAX_EXTENT)
                value = check.integer(value, name, owner, minimum=1, maximum=maximum)
            object.__setattr__(self, name, value)
        side = min(self.height, self.width) + 2 * self.padding
        if self.kernel_size > side:
            legal = f"at most the side of the padded images, {side}"
            check.refuse("kernel_size", owner, legal, self.kernel_size)

    @property
    def output_height(self) -> int:
        """Height of the output."""
        return (self.height + 2 * self.padding - self.kernel_size) // self.stride + 1

    @property
    def output_width(self) -> int:
        """Width of the output."""
        return (self.width + 2 * self.padding - self.kernel_size) // self.stride + 1

    @property
    def flops(self) -> int:
        """Operations of one pass of direct convolution; a multiply-add counts two."""
        positions = self.batch * self.output_height * self.output_width
        products = self.kernel_size**2 * self.input_channels * self.output_channels
        return 2 * positions * products

    @property
    def algorithm(self) -> Algorithm:
        """Algorithm of a training pass."""
        return self.algorithm_for("forward")

    def algorithm_for(self, computation: Computation) -> Algorithm:
        """Return the algorithm that the library chooses for this shape in float32.

        Parameters
        ----------
        computation : {"forward", "input_gradient", "weight_gradient", "evaluation"}
            Pass of the convolution; all passes of training use the same algorithm.

        Returns
        -------
        algorithm : {"winograd", "gemm"}
            Name of the algorithm, which depends only on the shape and the pass.

        Raises
        ------
        ValueError
            If the pass is unknown, or the shape has more elements than the library accepts.
        """
        owner = "ConvolutionShape.algorithm_for"
        which = _PASS_CODES[check.choice(computation, "computation", owner, PASSES)]
        code = _native.conv2d_algorithm(*self._extents(), which)
        return next(name for name in ALGORITHMS if _ALGORITHM_CODES[name] == code)

    def supports(self, algorithm: Algorithm) -> bool:
        """Return whether an algorithm can compute this shape.

        Parameters
        ----------
        algorithm : {"winograd", "gemm", "winograd_bfloat16"}
            Algorithm; see `time`.

        Returns
        -------
        supported : bool
            Whether the shape is supported. Winograd's algorithm needs kernels of size 3, stride 1
            and a padding of at most 2.

        Raises
        ------
        ValueError
            If the algorithm is unknown.
        """
        name = check.choice(algorithm, "algorithm", "ConvolutionShape.supports", ALGORITHMS)
        return name == "gemm" or (
            (self.kernel_size, self.stride) == (3, 1) and self.padding <= MOST_WINOGRAD_PADDING
        )

    def time(
        self,
        computation: Computation = "forward",
        *,
        algorithm: AnyAlgorithm = "automatic",
        runs: int = 5,
    ) -> ConvolutionTimes:
        """Time one pass on synthetic data with `get_num_threads` threads.

        A warm-up run precedes the timed runs.

        Parameters
        ----------
        computation : {"forward", "input_gradient", "weight_gradient", "evaluation"}
            Pass of the convolution. An evaluation may keep the weights in another form than the
            forward pass of training.
        algorithm : {"automatic", "winograd", "gemm", "winograd_bfloat16"}, default="automatic"
            Algorithm; by default the library's choice for the shape in float32.
        runs : int, default=5
            Number of timed runs, in 1..10000.

        Returns
        -------
        times : ConvolutionTimes
            Seconds of each run.

        Raises
        ------
        ValueError
            If an argument is outside its domain, or the algorithm does not support the shape.
        TypeError
            If `runs` is not an integer.
        MemoryError
            If the tensors do not fit into memory.

        Examples
        --------
        >>> shape = ConvolutionShape(1, 8, 8, 32, 32, kernel_size=3, padding=1)
        >>> shape.time("weight_gradient", algorithm="gemm", runs=2).kernel.shape
        (2,)
        """
        owner = "ConvolutionShape.time"
        which = _PASS_CODES[check.choice(computation, "computation", owner, PASSES)]
        kind = check.choice(algorithm, "algorithm", owner, _ALGORITHM_CODES)
        if kind != "automatic" and not self.supports(kind):
            legal = f"an algorithm that supports {self}"
            check.refuse("algorithm", owner, legal, repr(kind))
        count = check.integer(runs, "runs", owner, minimum=1, maximum=MAX_RUNS)
        pack, kernel = np.empty(count), np.empty(count)
        _native.time_conv2d(*self._extents(), which, _ALGORITHM_CODES[kind], pack, kernel)
        return ConvolutionTimes(kernel=kernel, pack=pack)

    def _extents(self) -> tuple[int, int, int, int, int, int, int, int]:
        """Return the extents in the order of the binding."""
        return (
            self.batch,
            self.height,
            self.width,
            self.input_channels,
            self.output_channels,
            self.kernel_size,
            self.stride,
            self.padding,
        )
