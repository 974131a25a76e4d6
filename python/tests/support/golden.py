"""The golden files of the PyTorch reference, and the deterministic tensors they are made from.

The directory is Tests/Fixtures of this repository, or the one that SKD_FIXTURES names. `fill` and
its companions are the port of the reference's definition: splitmix64 over FNV-1a of the name.
"""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np

FIXTURES = Path(
    os.environ.get("SKD_FIXTURES", Path(__file__).parents[3] / "Tests" / "Fixtures")
).resolve()
MASK = (1 << 64) - 1


class Golden(dict):
    """The arrays of one file by key; scalars as 0-dimensional arrays."""

    def __init__(self, topic):
        with np.load(FIXTURES / f"{topic}.npz") as arrays:
            super().__init__(arrays)

    def numbers(self, key):
        """Return an integer key as a list."""
        return self[key].tolist()

    def seed(self, label):
        return int(self[f"seed.{label}"])


def topics(pattern):
    """Return the names of the files that match; there must be some."""
    found = sorted(path.stem for path in FIXTURES.glob(f"{pattern}.npz"))
    assert found, f"no {pattern}.npz in {FIXTURES}"
    return found


def bits(name, count, seed):
    """Return the first words of the stream of a name and a seed."""
    state = 0xCBF29CE484222325
    for byte in name.encode():
        state = ((state ^ byte) * 0x100000001B3) & MASK
    base = np.uint64((state ^ seed) & MASK)
    with np.errstate(over="ignore"):
        z = base + np.arange(count, dtype=np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def uniform(name, shape, seed):
    """Return float64 values in [-1, 1)."""
    words = bits(name, math.prod(shape), seed) >> np.uint64(40)
    return (words.astype(np.float64) * 2.0**-23 - 1.0).reshape(shape)


def fill(name, shape, seed):
    """Return the float32 tensor of a name: scaled as its kind of parameter is."""
    shape = tuple(int(extent) for extent in shape)
    values = uniform(name, shape, seed)
    if name.endswith("running_mean"):
        values = 0.1 * values
    elif name.endswith("running_var"):
        values = 1.0 + 0.5 * np.abs(values)
    elif name.endswith(".weight") and len(shape) == 4:
        values = math.sqrt(6.0 / (shape[0] * shape[2] * shape[3])) * values
    elif name.endswith(".weight") and len(shape) == 2:
        values = 1.0 / math.sqrt(shape[1]) * values
    elif name.endswith(".weight") and len(shape) == 1:
        values = 1.0 + 0.1 * values
    elif name.endswith(".bias") and len(shape) == 1:
        values = 0.1 * values
    return values.astype(np.float32)


def fill_bytes(name, shape, seed):
    """Return a uint8 tensor: the top eight bits of each word."""
    shape = tuple(int(extent) for extent in shape)
    return (bits(name, math.prod(shape), seed) >> np.uint64(56)).astype(np.uint8).reshape(shape)


def fill_state(model, seed):
    """Replace the state of a model by filled tensors."""
    model.load_state_dict(
        {
            name: np.zeros_like(view)
            if name.endswith("num_batches_tracked")
            else fill(name, view.shape, seed)
            for name, view in model.state_dict().items()
        }
    )


def nhwc(images):
    """Return PyTorch's NCHW images in the library's order."""
    return np.ascontiguousarray(np.moveaxis(images, 1, -1))


def nchw(images):
    """Return the library's images in PyTorch's order."""
    return np.moveaxis(images, -1, 1)


def assert_relative(actual, expected, tolerance, what=""):
    """Compare by max |a - b| / max |b| over one key."""
    actual, expected = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
    assert actual.shape == expected.shape, what
    error = np.abs(actual - expected).max() / max(np.abs(expected).max(), 1e-30)
    assert error <= tolerance, f"{what}: error {error:.2e} > {tolerance:.0e}"


def assert_sampled(golden, key, tensor, tolerance):
    """Compare a whole tensor with the entries that were stored of it."""
    sampled = np.ascontiguousarray(tensor).reshape(-1)[golden[f"{key}.idx"]]
    assert_relative(sampled, golden[f"{key}.val"], tolerance, key)
