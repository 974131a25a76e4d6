"""Safetensors files are read strictly, into the numbers that their library writes."""

import struct

import numpy as np
import pytest
from hostile_weights import BODY, SAFETENSORS, entry, safetensors
from peak_memory import at_most
from safetensors import SafetensorError
from safetensors.numpy import load, save

import skd
from skd._files import safetensors_files as files
from skd._files.bounded_json import parse

KINDS = ("f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?")


def read(data):
    return files.Safetensors.of_bytes(data).arrays()


def test_every_dtype_is_read_as_it_was_written(rng):
    arrays = {kind: (rng.standard_normal((2, 3)) * 9).astype(kind) for kind in KINDS}
    arrays |= {"scalar": np.array(3.5), "empty": np.zeros((0, 4), np.float32)}
    content = files.Safetensors.of_bytes(save(arrays, metadata={"a": "b"}))
    assert content.metadata == {"a": "b"}
    assert content.entries.keys() == arrays.keys()
    for name, array in content.arrays().items():
        assert array.dtype == arrays[name].dtype
        assert array.flags.aligned
        np.testing.assert_array_equal(array, arrays[name], name)


def test_bfloat16_is_widened_to_the_bit():
    bits = np.array([0x3F80, 0xBF00, 0x7F7F, 0x0001, 0x8000], "<u2")
    data = safetensors({"a": entry((5,), (0, 10), "BF16")}, bits.tobytes())
    np.testing.assert_array_equal(read(data)["a"].view(np.uint32), bits.astype(np.uint32) << 16)


def test_a_header_may_be_padded_and_in_any_order():
    header = {"b": entry((2,), (16, 24)), "a": entry((4,), (0, 16))}
    arrays = read(safetensors(str(header).replace("'", '"').encode() + b"   ", BODY))
    assert arrays["a"].tolist() == [0, 1, 2, 3]
    assert arrays["b"].tolist() == [4, 5]


def test_arrays_that_lie_askew_are_aligned():
    header = {"a": entry((1,), (0, 1), "U8"), "b": entry((6,), (1, 25))}
    array = read(safetensors(header, b"\7" + BODY))["b"]
    assert array.flags.aligned
    assert array.tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("lie", SAFETENSORS)
def test_a_file_that_lies_is_refused_in_words(tmp_path, lie):
    data, reason = SAFETENSORS[lie]
    with pytest.raises(files.SafetensorsError, match=reason.split("|")[0]):
        read(data)
    path = tmp_path / "model.safetensors"
    path.write_bytes(data)
    readers = [
        lambda: skd.load_model(path),
        lambda: skd.import_torch(path, image_size=16),
        lambda: skd.FewShotClassifier.load(path),
        lambda: skd.evaluate_features(
            np.zeros((4, 2)), [0, 0, 1, 1], n_way=2, n_query=1, n_episodes=1, episodes_file=path
        ),
    ]
    for reader in readers:
        refused = pytest.raises(ValueError, match=rf"model\.safetensors.*({reason})")
        with at_most(2 * len(data) + (64 << 20)), refused:
            reader()


@pytest.mark.parametrize("lie", SAFETENSORS)
def test_nothing_that_the_library_refuses_is_read(lie):
    """The library takes some of these files; no file that it refuses is taken here."""
    try:
        load(SAFETENSORS[lie][0])
    except (SafetensorError, KeyError, TypeError, OverflowError):
        with pytest.raises(files.SafetensorsError):
            read(SAFETENSORS[lie][0])


def test_floats_of_8_bits_are_named():
    with pytest.raises(files.SafetensorsError, match="'a' is of the dtype F8_E4M3"):
        read(safetensors({"a": entry((24,), dtype="F8_E4M3")}, BODY))


def test_every_truncation_is_refused():
    data = save({"a": np.arange(6.0), "b": np.arange(3)}, metadata={"x": "y"})
    for length in range(len(data)):
        with pytest.raises(files.SafetensorsError):
            read(data[:length])
    with pytest.raises(files.SafetensorsError):
        read(data + b"\0")


def test_json_may_take_as_much_memory_as_its_file_allows():
    text = "[" + "1," * 2_000_000 + "1]"
    with pytest.raises(ValueError, match="MB of memory"):
        parse(text)
    assert len(parse(text, file_bytes=1 << 30)) == 2_000_001


def test_a_header_of_a_long_training_is_read_if_it_is_sealed():
    from skd._files.checksummed import checksummed_bytes, verified_content

    data = bytes(checksummed_bytes({"a": np.arange(6.0)}, {"long": "[1]," * 300_000}))
    assert struct.unpack("<Q", data[:8])[0] > 1_000_000
    metadata, state = verified_content(data, requires_checksum=True)
    assert len(metadata["long"]) == 1_200_000
    assert state["a"].tolist() == [0, 1, 2, 3, 4, 5]
