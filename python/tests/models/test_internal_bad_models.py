"""Internals of the binding: handles cannot be forged."""

import pytest


@pytest.mark.filterwarnings("ignore:nanobind")
def test_handles_cannot_be_forged():
    from skd import _native

    for kind in (_native.Model, _native.Trainer):
        with pytest.raises(TypeError):
            kind()
        empty = kind.__new__(kind)
        for name in ("state_dict", "gradients"):
            if hasattr(kind, name):
                with pytest.raises(TypeError):
                    getattr(empty, name)()
