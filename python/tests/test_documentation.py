"""The examples of the docstrings and of the README run."""

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import matplotlib
import numpy as np
import pytest

import skd

matplotlib.use("Agg")

import matplotlib.pyplot as plt

README = Path(__file__).parents[2] / "README.md"
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


def reduced(split, num_classes):
    """Return the first images of the first classes."""
    rows = np.concatenate([np.flatnonzero(split.labels == c)[:20] for c in range(num_classes)])
    return skd.datasets.from_arrays(
        split.images[rows],
        split.labels[rows],
        mean=split.mean,
        std=split.std,
        class_names=split.class_names[:num_classes],
    )


def test_the_readme_example_runs(monkeypatch, capsys, tmp_path):
    """Run the README's first Python block as it stands, on a few images of its data."""
    (example, *_) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    data = skd.datasets.load("glyphs")
    few = skd.datasets.FewShotData(
        *(reduced(part, 5) for part in (data.train, data.val, data.test))
    )
    monkeypatch.setattr(skd.datasets, "load", lambda name: few)
    monkeypatch.chdir(tmp_path)
    exec(compile(example, str(README), "exec"), {})
    assert "±" in capsys.readouterr().out
