"""The examples of the docstrings run."""

import doctest
import importlib
import pkgutil

import matplotlib
import numpy as np
import pytest

import skd

matplotlib.use("Agg")

import matplotlib.pyplot as plt

MODULES = ["skd"] + [
    module.name
    for module in pkgutil.walk_packages(skd.__path__, "skd.")
    if not module.name.endswith("_native")
]


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples_run(name):
    module = importlib.import_module(name)
    names = {"np": np, "skd": skd}
    threads = skd.get_num_threads()
    try:
        result = doctest.testmod(module, extraglobs=names, raise_on_error=False)
    finally:
        skd.set_num_threads(threads)
        plt.close("all")
    assert result.failed == 0
