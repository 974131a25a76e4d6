"""Checkpoints of PyTorch: ours read them, and PyTorch reads ours."""

import argparse
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from golden import fill, nhwc
from hostile_weights import TORCH_FILES, torch_archive
from peak_memory import at_most

import skd
from skd._files.pickles import Opaque
from skd._files.unreadable import UnreadableFileError
from skd.interchange import _tensors as tensors
from skd.interchange import _torch_files as torch_files
from skd.interchange._state_dicts import state_dict_of

FOLDER = Path(__file__).parents[2] / "Tests" / "Fixtures" / "torch"
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


@pytest.mark.parametrize("file", ["tensors.pth", "tensors_legacy.pth"])
def test_every_type_and_layout_of_tensors_is_read(file):
    state = state_dict_of(torch_files.read_torch_file(FOLDER / file))
    arrays = {name: tensor.array() for name, tensor in state.items()}
    base = np.arange(24, dtype=np.float64).reshape(4, 6) / 8 - 1
    for name in ("float64", "float32", "float16", "int64", "int32"):
        assert arrays[name].dtype == name
        np.testing.assert_array_equal(arrays[name], base.astype(name))
    np.testing.assert_array_equal(arrays["bfloat16"], base)  # exact in 8 bits
    np.testing.assert_array_equal(arrays["transposed"], base.T)
    np.testing.assert_array_equal(arrays["part"], base[1:3, ::2])
    np.testing.assert_array_equal(arrays["parameter"], base.ravel())
    assert arrays["scalar"] == 7
    assert arrays["empty"].shape == (0, 3)


def test_the_other_byte_order_is_read(tmp_path):
    path = tmp_path / "big.pth"
    with zipfile.ZipFile(FOLDER / "tensors.pth") as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name.endswith("byteorder"):
                data = b"big"
            elif name.endswith("data/1"):  # of float32
                data = np.frombuffer(data, "<f4").astype(">f4").tobytes()
            target.writestr(name, data)
    array = torch_files.read_torch_file(path)["float32"].array()
    np.testing.assert_array_equal(array, np.arange(24).reshape(4, 6) / 8 - 1)
    assert array.dtype.isnative


# ------------------------------------------------------------------------------ hostile files


class Raised:
    """Pickles as a call of a function."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def archive(path, content, storages=(), **options):
    """Write a zip archive like those of ``torch.save``."""
    path.write_bytes(torch_archive(content, storages, **options))
    return path


def read(path):
    return state_dict_of(torch_files.read_torch_file(path))


@pytest.mark.parametrize(
    "function",
    [
        eval,
        exec,
        print,
        getattr,
        __import__,
        subprocess.Popen,
        Path.unlink,
        argparse.ArgumentParser,
    ],
)
@pytest.mark.parametrize("kind", ["zip", "legacy"])
def test_no_code_of_a_file_is_run(tmp_path, function, kind):
    victim = tmp_path / "victim"
    victim.touch()
    payload = pickle.dumps(
        {"model": Raised(function, f"open({str(victim)!r}, 'w').write('ran')")}, 2
    )
    path = tmp_path / "hostile.pth"
    if kind == "zip":
        archive(path, payload)
    else:
        start = [torch_files.LEGACY_MAGIC, 1001, {"little_endian": True}]
        path.write_bytes(b"".join(pickle.dumps(part, 2) for part in start) + payload)
    with pytest.raises(ValueError, match="which is not data"):
        skd.import_torch(path, image_size=16)
    assert victim.read_text() == ""


def test_classes_of_optimisers_and_options_are_left_out(tmp_path):
    options = argparse.Namespace(lr=0.1, path=Path("runs"), accuracy=np.float64(3), a=np.zeros(2))
    path = archive(tmp_path / "inert.pth", {"opt": options, "model": {}})
    content = torch_files.read_torch_file(path)
    assert isinstance(content["opt"], Opaque)
    with pytest.raises(ValueError, match="no tensors"):
        skd.import_torch(path, image_size=16)


@pytest.mark.parametrize("module", ["pathlib", "pathlib._local"])
def test_paths_of_every_python_are_left_out(tmp_path, module):
    """Python 3.13 names the module of a path in another way than those before and after it."""
    payload = f"c{module}\nPosixPath\n(Vruns\ntR.".encode()
    content = torch_files.read_torch_file(archive(tmp_path / "path.pth", payload))
    assert isinstance(content, Opaque)


@pytest.mark.parametrize("lie", TORCH_FILES)
def test_a_file_that_lies_is_refused_in_words(tmp_path, lie):
    data, reason = TORCH_FILES[lie]
    path = tmp_path / "file.pth"
    path.write_bytes(data)
    refused = pytest.raises(ValueError, match=rf"'path' parameter.*file\.pth.*({reason})")
    with at_most(2 * len(data) + (64 << 20)), refused:
        skd.import_torch(path, image_size=16)


@pytest.mark.parametrize("file", ["skd.pth", "rfs_legacy.pth"])
def test_damaged_files_are_refused_or_read_whole(tmp_path, file):
    whole = (FOLDER / file).read_bytes()
    path = tmp_path / file
    sound = {name: tensor.array() for name, tensor in read(FOLDER / file).items()}
    rng = np.random.default_rng(1)
    for length in rng.integers(0, len(whole), 25):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="checkpoint of PyTorch"):
            skd.import_torch(path, image_size=16)
    for place in rng.integers(0, len(whole), 100):
        changed = bytearray(whole)
        changed[place] ^= 0xFF
        path.write_bytes(changed)
        try:
            state = read(path)
        except UnreadableFileError:
            continue
        if file == "skd.pth":  # whose storages have check sums
            for name, tensor in state.items():
                if name in sound and tensor.shape == sound[name].shape:
                    np.testing.assert_array_equal(tensor.array(), sound[name], name)


def rebuilt(**options):
    """Return what becomes of a tensor of two float32 numbers that a pickle describes."""
    arguments = {"storage": tensors.Storage("FloatStorage", 2), "offset": 0}
    arguments |= {"shape": (2,), "strides": (1,), **options}
    return tensors.checked_tensor(*arguments.values())


@pytest.mark.parametrize(
    "options",
    [
        {"shape": (3,)},
        {"offset": 1},
        {"offset": -1},
        {"strides": (-1,)},
        {"strides": (2,)},
        {"shape": (2, 2), "strides": (0, 1)},
        {"shape": (10**30,), "strides": (0,)},
        {"shape": (0, 10**30), "strides": (1, 1)},
        {"shape": (2.0,)},
        {"shape": (True,)},
        {"shape": (1,) * 9, "strides": (1,) * 9},
        {"shape": (1,), "strides": ()},
        {"storage": Opaque()},
    ],
)
def test_tensors_beyond_their_storage_are_refused(options):
    assert rebuilt().shape == (2,)
    with pytest.raises(UnreadableFileError):
        rebuilt(**options)


def test_a_state_that_does_not_fit_together_is_refused_before_memory_is_taken(
    tmp_path, monkeypatch
):
    state = dict(read(FOLDER / "rfs_resnet18.pth"))

    def assert_refused(named, **changes):
        changed = {name: value for name, value in {**state, **changes}.items() if value is not None}
        monkeypatch.setattr("skd.interchange._import_torch._read", lambda path, name: changed)
        with pytest.raises(ValueError, match=named):
            skd.import_torch("any", image_size=16)

    storage = tensors.Storage("FloatStorage", 1 << 20)
    storage.values = np.zeros(1 << 20, dtype=np.float32)

    def zeros(*shape):
        strides = np.zeros(shape, dtype=np.int8).strides
        return tensors.Tensor(storage, 0, shape, strides)

    assert_refused("layer1.0.conv2.weight", **{"layer1.0.conv1.weight": zeros(8000, 3, 3, 3)})
    assert_refused("its classifier takes", **{"classifier.weight": zeros(100_000, 1)})
    assert_refused("lacks layer3.1.bn2.bias", **{"layer3.1.bn2.bias": None})
    assert_refused("has fc.weight", **{"fc.weight": zeros(2, 2)})
    assert_refused("layer2.0.bn1.weight is of shape", **{"layer2.0.bn1.weight": zeros(5)})
    assert_refused("4 dimensions", **{"layer1.0.conv1.weight": zeros(4, 27)})
    assert_refused("its names are", **{"layer4.1.conv1.weight": None})
    # Before PyTorch 1.0 batch norms counted nothing.
    uncounted = {name: value for name, value in state.items() if "tracked" not in name}
    monkeypatch.setattr("skd.interchange._import_torch._read", lambda path, name: uncounted)
    assert skd.import_torch("any", image_size=16).architecture == "resnet18"


# ----------------------------------------------------------------------------------- PyTorch


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
