"""Checkpoints of PyTorch: ours read them, and PyTorch reads ours."""

import sys
from pathlib import Path

import numpy as np
import pytest
from golden import fill, nhwc
from hostile_weights import TORCH_FILES
from peak_memory import at_most

import skd

FOLDER = Path(__file__).parents[3] / "Tests" / "Fixtures" / "torch"
SEED = 5 << 32  # of make_torch_files.py
PARTS = {"classifier": FOLDER / "libfewshot_cls_classifier.pth"}


CHECKPOINTS = {
    "skd.pth": ("resnet12_ssl", "resnet12", False, {}),
    "rfs_legacy.pth": ("seresnet12", "resnet12", True, {}),
    "rfs_resnet18.pth": ("resnet18", "resnet18", False, {}),
    "libfewshot.pth": ("resnet12_ssl", "resnet12", False, {}),
    "libfewshot_emb_func.pth": ("resnet24_ssl", "resnet24", False, PARTS),
}


@pytest.fixture
def expected():
    with np.load(FOLDER / "expected.npz") as arrays:
        return dict(arrays)


@pytest.fixture
def images():
    return nhwc(fill("input", (2, 3, 16, 16), SEED))


@pytest.mark.parametrize("file", CHECKPOINTS)
def test_checkpoints_of_the_field_are_read_to_the_bit(file, expected, images):
    name, architecture, use_se, options = CHECKPOINTS[file]
    model = skd.import_torch(FOLDER / file, image_size=16, **options)
    assert (model.architecture, model.config["use_se"]) == (architecture, use_se)
    assert model.config["widths"] == [4, 4, 8, 8]
    assert (model.num_classes, model.image_size, model.input_channels) == (3, 16, 3)
    for key, view in model.state_dict().items():
        wanted = 0 if key.endswith("tracked") else fill(key, view.shape, SEED)
        np.testing.assert_array_equal(view, wanted, key)
    for key, values in (("feature", model.embed(images)), ("logits", model.logits(images))):
        np.testing.assert_allclose(values, expected[f"{name}.{key}"], rtol=1e-4, atol=1e-5)
    assert model.has_rotation_head == file.startswith(("skd", "libfewshot.pth"))
    if model.has_rotation_head:
        rotation = model.rotation_logits(images)
        np.testing.assert_allclose(rotation, expected[f"{name}.rotation"], rtol=1e-4, atol=1e-5)


def test_what_no_file_tells_can_be_given():
    model = skd.import_torch(
        FOLDER / "libfewshot_emb_func.pth",
        image_size=20,
        num_classes=7,
        drop_rate=0.2,
        normalization=((0.5, 0.5, 0.5), 0.25),
    )
    assert (model.num_classes, model.image_size, model.config["drop_rate"]) == (7, 20, 0.2)
    assert model.normalization == ((0.5,) * 3, (0.25,) * 3)
    for wrong, named in [
        ({}, "num_classes"),
        ({**PARTS, "num_classes": 4}, "num_classes"),
        ({"num_classes": 3, "architecture": "convnet4"}, "architecture"),
        ({"num_classes": 3, "architecture": "lenet"}, "architecture"),
        ({"num_classes": 3, "image_size": 15}, "image_size"),
    ]:
        with pytest.raises(ValueError, match=named):
            skd.import_torch(FOLDER / "libfewshot_emb_func.pth", **{"image_size": 16, **wrong})
    with pytest.raises(TypeError, match="widths"):
        skd.import_torch(FOLDER / "skd.pth", image_size=16, widths=(4, 4, 4, 4))
    with pytest.raises(FileNotFoundError, match=r"absent\.pth"):
        skd.import_torch("absent.pth", image_size=16)


@pytest.mark.parametrize("lie", TORCH_FILES)
def test_a_file_that_lies_is_refused_in_words(tmp_path, lie):
    data, reason = TORCH_FILES[lie]
    path = tmp_path / "file.pth"
    path.write_bytes(data)
    refused = pytest.raises(ValueError, match=rf"'path' parameter.*file\.pth.*({reason})")
    with at_most(2 * len(data) + (64 << 20)), refused:
        skd.import_torch(path, image_size=16)


def test_pytorch_reads_ours_and_we_read_its_files(tmp_path, make_model, rng):
    """Weights agree to the bit. PyTorch is no dependency; without it the report says so."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: stored files stand in")
    from safetensors.torch import load_file

    sys.path.insert(0, str(FOLDER.parent / "reference"))
    try:
        reference = __import__("skd_torch")
    finally:
        sys.path.pop(0)
    x = rng.standard_normal((2, 16, 16, 3)).astype(np.float32)
    model = make_model("resnet18", widths=(4, 4, 8, 8), drop_rate=0)
    skd.Gen0(model).step(np.tile(x, (2, 1, 1, 1)), [0, 1, 2, 3])
    model.save(tmp_path / "model.safetensors")
    published, reference.ResNet.widths = reference.ResNet.widths, (4, 4, 8, 8)
    try:
        network = reference.make_backbone("resnet18_ssl", 5, 1, 0.0).eval()
    finally:
        reference.ResNet.widths = published
    network.load_state_dict(load_file(tmp_path / "model.safetensors"))
    with torch.no_grad():
        logits = network(torch.from_numpy(np.moveaxis(x, -1, 1).copy())).logits.numpy()
    np.testing.assert_allclose(model.logits(x), logits, rtol=1e-4, atol=1e-4)
    for legacy in (False, True):
        path = tmp_path / "back.pth"
        torch.save(network.state_dict(), path, _use_new_zipfile_serialization=not legacy)
        back = skd.import_torch(path, image_size=16)
        for name, view in model.state_dict().items():
            np.testing.assert_array_equal(back.state_dict()[name], view, name)
