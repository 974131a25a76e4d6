import matplotlib.pyplot as plt
import pytest


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture
def models(make_model):
    """Return a model and another one by name."""
    return {"Gen-0": make_model("convnet4"), "Gen-1": make_model("convnet4", seed=1)}
