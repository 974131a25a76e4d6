"""Checkpoints in bfloat16, and how their numbers are rounded."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import skd
from skd._files.safetensors_files import narrowed, opened, widened

LARGEST = float(np.finfo(np.float32).max)


@given(st.floats(-LARGEST / 2, LARGEST / 2, width=32))
def test_narrowing_rounds_to_the_nearest_bfloat16_and_ties_to_even(value):
    number = np.float32(value)
    (bits,) = narrowed(np.array([number]))
    neighbours = (int(bits) + np.arange(-1, 2)) % (1 << 16)
    near = widened(neighbours.astype(np.uint16)).astype(np.float64)
    distances = np.abs(near[np.isfinite(near)] - float(number))
    own = abs(float(widened(np.array([bits]))[0]) - float(number))
    assert own == distances.min()
    assert (distances == own).sum() == 1 or bits % 2 == 0


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, LARGEST])
def test_what_is_not_finite_in_bfloat16_is_not_narrowed(value):
    with pytest.raises(OverflowError):
        narrowed(np.array([1.0, value], dtype=np.float32))


def test_a_checkpoint_in_bfloat16_is_half_as_large_and_rounds_the_weights(make_model, tmp_path):
    model = make_model()
    model.save(tmp_path / "whole.safetensors")
    model.save(tmp_path / "half.safetensors", dtype="bfloat16")
    sizes = [(tmp_path / f"{name}.safetensors").stat().st_size for name in ("half", "whole")]
    assert sizes[0] < 0.6 * sizes[1]
    loaded = skd.load_model(tmp_path / "half.safetensors")
    assert loaded.config == model.config
    for name, values in model.state_dict().items():
        rounded = loaded.state_dict()[name]
        assert rounded.dtype == values.dtype
        np.testing.assert_allclose(rounded, values, rtol=2.0**-8, atol=0)
    with opened(tmp_path / "half.safetensors") as file:
        dtypes = {entry.dtype for entry in file.entries.values()}
    assert dtypes == {"BF16", "I64"}


def test_saving_in_bfloat16_what_it_cannot_hold_is_refused(make_model, tmp_path):
    model = make_model()
    state = model.snapshot()
    name = next(iter(state))
    state[name] = np.full_like(state[name], LARGEST)
    model.load_state_dict(state)
    with pytest.raises(ValueError, match=r"The 'dtype' parameter of Model\.save must be float32"):
        model.save(tmp_path / "model.safetensors", dtype="bfloat16")
    with pytest.raises(ValueError, match=r"'dtype' parameter of Model\.save must be one of"):
        model.save(tmp_path / "model.safetensors", dtype="float16")
    assert not list(tmp_path.iterdir())
