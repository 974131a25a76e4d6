"""Models in bfloat16: large enough that their convolutions make use of it."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import skd
from skd.models.checkpoint import METADATA_KEY

OPTIONS = {
    "num_classes": 5,
    "image_size": 32,
    "widths": (64, 32, 32, 32),
    "drop_rate": 0.0,
    "seed": 3,
}


@pytest.fixture
def batch(rng):
    """Return eight normalised images of 32 pixels with labels."""
    return rng.standard_normal((8, 32, 32, 3)).astype(np.float32), np.arange(8) % 5


def make(precision):
    return skd.create_model("resnet12", precision=precision, **OPTIONS)


def test_embeddings_in_bfloat16_are_near_those_in_float32(batch):
    exact = make("float32").embed(batch[0])
    rounded = make("bfloat16").embed(batch[0])
    assert not np.array_equal(rounded, exact)
    # 8 bits an operand, over the nine large convolutions or fewer.
    assert np.linalg.norm(rounded - exact) < 0.05 * np.linalg.norm(exact)


def test_training_in_bfloat16_follows_that_in_float32(batch):
    losses = {}
    for precision in ("float32", "bfloat16"):
        trainer = skd.Supervised(make(precision))
        losses[precision] = [trainer.step(*batch).total for _ in range(12)]
    assert losses["bfloat16"] != losses["float32"]
    assert losses["bfloat16"][0] == pytest.approx(losses["float32"][0], rel=0.05)
    assert losses["bfloat16"][-1] < 0.7 * losses["bfloat16"][0]


def test_precision_is_kept_by_clones_and_checkpoints(batch, tmp_path):
    path = tmp_path / "model.safetensors"
    assert make("float32").precision == "float32"
    model = make("bfloat16")
    model.save(path)
    for copy in (model.clone(), skd.load_model(path), skd.load_model(path, precision="bfloat16")):
        assert copy.precision == "bfloat16"
        np.testing.assert_array_equal(copy.embed(batch[0]), model.embed(batch[0]))
    exact = skd.load_model(path, precision="float32")
    assert exact.precision == "float32"
    np.testing.assert_array_equal(exact.embed(batch[0]), make("float32").embed(batch[0]))


def test_checkpoints_without_a_precision_are_float32(tmp_path):
    path = tmp_path / "model.safetensors"
    model = make("bfloat16")
    model.save(path)
    config = {name: value for name, value in model.config.items() if name != "precision"}
    metadata = json.dumps({"config": config, "normalization": None})
    save_file(load_file(path), path, {METADATA_KEY: metadata})
    assert skd.load_model(path).precision == "float32"
