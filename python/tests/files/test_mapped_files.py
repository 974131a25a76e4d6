"""Files that become shorter while they are mapped: an error that names them, never a death."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import run_fit
from data_files import make_parts, write_mini_pickles, write_numpy_archives

import skd
from skd.errors import DataError

SIDE = 84


@pytest.fixture
def model():
    return skd.create_model("convnet4", num_classes=5, image_size=SIDE, widths=(4, 4, 4, 4))


def native_form(folder, parts):
    (folder / "pickles").mkdir()
    write_mini_pickles(folder / "pickles", parts)
    skd.datasets.import_data(folder / "pickles", name="mini-imagenet", to=folder / "native")
    return folder / "native", folder / "native" / "train" / "images.npy"


def pickles(folder, parts):
    write_mini_pickles(folder, parts)
    return folder, folder / "miniImageNet_category_split_train_phase_train.pickle"


def archives(folder, parts):
    write_numpy_archives(folder, parts)
    return folder, folder / "train.npz"


USES = {
    "evaluate": lambda model, split: skd.evaluate(model, split, n_way=3, n_query=1, n_episodes=2),
    "fit": lambda model, split: skd.Supervised(model).fit(split, epochs=1, batch_size=4),
    "augment": lambda model, split: skd.augment(split.images, seed=0),
    "features": lambda model, split: skd.FewShotClassifier(model).fit(split.images, split.labels),
    "sha256": lambda model, split: split.sha256,
    "from_arrays": lambda model, split: skd.datasets.from_arrays(split.images, split.labels),
    "conversion": lambda model, split: skd.ops.rotate(split.images, 1),
}


@pytest.mark.parametrize("layout", [native_form, pickles, archives])
@pytest.mark.parametrize("name", USES)
def test_a_file_that_has_become_shorter_is_named(tmp_path, model, layout, name):
    folder, file = layout(tmp_path, make_parts(SIDE))
    split = skd.datasets.load("mini-imagenet", folder).train
    model.normalization = (split.mean, split.std)
    os.truncate(file, 10_000)
    with pytest.raises(DataError, match="has become shorter") as caught:
        USES[name](model, split)
    assert str(file) in str(caught.value)


def test_a_file_that_becomes_shorter_during_a_fit_ends_it(tmp_path, model):
    folder, file = native_form(tmp_path, make_parts(SIDE))
    split = skd.datasets.load("mini-imagenet", folder).train
    shorten = run_fit.OnEpoch(lambda record: os.truncate(file, 10_000))
    with pytest.raises(DataError, match=r"images\.npy.*has become shorter"):
        skd.Supervised(model).fit(split, epochs=9, batch_size=4, callbacks=[shorten])


def test_arrays_that_users_map_are_watched_too(tmp_path, model):
    path = tmp_path / "features"
    rng = np.random.default_rng(0)
    mapped = np.memmap(path, np.float32, "w+", shape=(40, SIDE, SIDE, 3))
    mapped[:] = rng.standard_normal(mapped.shape)
    read_only = np.memmap(path, np.float32, "r", shape=mapped.shape)
    expected = model.embed(read_only)
    np.testing.assert_array_equal(model.embed(read_only), expected)
    os.truncate(path, 50_000)
    with pytest.raises(DataError, match=r"features.*has become shorter"):
        model.embed(read_only)
    assert read_only[-1].sum() == 0  # and this process lives


def test_another_handler_gets_what_is_not_the_librarys(tmp_path):
    program = """
import faulthandler, os, sys, numpy as np, skd
faulthandler.enable()
def mapped(name):
    file = np.memmap(name, np.uint8, "w+", shape=(10, 30, 30, 1))
    return np.memmap(name, np.uint8, "r", shape=file.shape)
skd.datasets.from_arrays(mapped("watched"), range(10), mean=0.5, std=0.5)
other = mapped("other")
os.truncate("other", 0)
other[0].sum()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == -signal.SIGBUS
    assert "Bus error" in done.stderr
