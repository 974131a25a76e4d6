"""Internals of PyTorch's files: storages, tensors, names and state dicts."""

import argparse
import pickle
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hostile_weights import torch_archive

import skd
from skd._files.pickles import Opaque
from skd._files.unreadable import UnreadableFileError
from skd.interchange import _tensors as tensors
from skd.interchange import _torch_files as torch_files
from skd.interchange._state_dicts import state_dict_of

FOLDER = Path(__file__).parents[3] / "Tests" / "Fixtures" / "torch"


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
