"""Pickles are read as data; whatever the bytes, nothing else happens."""

import collections
import pickle

import data_files
import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from skd._files.pickled_arrays import CONSTRUCTORS
from skd._files.pickles import Name, PickleError, loads

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
# Derandomised and without a database: the same examples on every run, and no files.
SETTINGS = hypothesis.settings(derandomize=True, database=None, deadline=None, max_examples=150)
KEYS = st.one_of(st.text(max_size=8), st.integers(-(2**63), 2**63), st.none())
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**100), 2**100)
    | st.floats(allow_nan=False)
    | st.text(max_size=30)
    | st.binary(max_size=30),
    lambda children: (
        st.lists(children, max_size=4)
        | st.dictionaries(KEYS, children, max_size=4)
        | st.tuples(children, children)
        | st.tuples(children, children, children, children)
    ),
    max_leaves=20,
)
ARRAY = np.arange(3000, dtype=np.uint8).reshape(10, 10, 30)
VALID = [
    pickle.dumps({"data": ARRAY, "labels": [1, 2, 300], "name": "x"}, protocol=protocol)
    for protocol in PROTOCOLS
] + [data_files.python2_pickle({"data": ARRAY, "labels": [1, 2, 300], "name": "x"})]


@SETTINGS
@hypothesis.given(value=VALUES, protocol=st.sampled_from(PROTOCOLS))
def test_data_is_what_python_reads(value, protocol):
    assert loads(pickle.dumps(value, protocol=protocol), CONSTRUCTORS) == value


@SETTINGS
@hypothesis.given(
    original=st.sampled_from(VALID),
    edits=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=6),
)
def test_changed_bytes_are_refused_or_read_as_data(original, edits):
    changed = bytearray(original)
    for position, value in edits:
        changed[position % len(changed)] = value
    try:
        value = loads(bytes(changed), CONSTRUCTORS)
    except PickleError:
        return
    kinds = (dict, list, tuple, str, bytes, memoryview, int, float, type(None), Name)
    assert isinstance(value, (*kinds, np.ndarray, np.generic))


@pytest.mark.parametrize("original", VALID)
def test_every_truncation_is_refused(original):
    for length in [*range(300), *range(300, len(original), 97)]:
        with pytest.raises(PickleError):
            loads(original[:length] if length < len(original) else b"", CONSTRUCTORS)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "array",
    [
        np.arange(12.0).reshape(3, 4)[:, ::2],
        np.asfortranarray(np.arange(12, dtype=np.int16).reshape(3, 4)),
        np.arange(5, dtype=">i4"),
        np.array(["a", "bcd"]),
        np.array([b"a", b"bcd"]),
        np.array([True, False]),
        np.empty((0, 3), np.float32),
        np.array(3.5),
    ],
    ids=str,
)
def test_arrays_are_what_numpy_reads(array, protocol):
    read = loads(pickle.dumps([array, array], protocol=protocol), CONSTRUCTORS)
    assert read[0].dtype == array.dtype
    np.testing.assert_array_equal(read[0], array)
    assert read[0] is read[1] or protocol < 0


@pytest.mark.parametrize("module", ["numpy.core", "numpy._core"])
def test_arrays_of_old_and_new_numpy_load(module):
    raw = pickle.dumps(ARRAY, protocol=3)
    here = b"numpy._core" if b"numpy._core" in raw else b"numpy.core"
    np.testing.assert_array_equal(loads(raw.replace(here, module.encode()), CONSTRUCTORS), ARRAY)


def test_numbers_of_numpy_load():
    assert loads(pickle.dumps([np.float32(1.5), np.int64(-3)]), CONSTRUCTORS) == [1.5, -3]


def test_large_arrays_are_views_of_the_input():
    raw = bytearray(data_files.python2_pickle({"data": np.zeros(5000, np.uint8)}))
    array = loads(raw, CONSTRUCTORS)["data"]
    raw[-100] = 9
    assert array.max() == 9


def test_constructors_decide_what_names_make():
    raw = pickle.dumps(collections.Counter("aab"), protocol=2)
    name = Name("collections", "Counter")
    assert loads(raw, {name: lambda arguments, reader: dict(*arguments)}) == {"a": 2, "b": 1}
    with pytest.raises(PickleError, match=r"collections\.Counter, which is not data"):
        loads(raw, CONSTRUCTORS)


def test_persistent_ids_are_asked_for():
    raw = b"\x80\x02U\x03abcQ."
    assert loads(raw, {}, persistent=lambda identifier: [identifier]) == [["abc"]][0]
    with pytest.raises(PickleError, match="outside of it"):
        loads(raw, CONSTRUCTORS)


def test_an_ordered_dict_is_a_dict():
    assert loads(pickle.dumps(collections.OrderedDict(a=1), protocol=2), CONSTRUCTORS) == {"a": 1}


def test_more_operations_than_allowed_are_refused(monkeypatch):
    monkeypatch.setattr("skd._files.pickles.MAX_OPERATIONS", 100)
    with pytest.raises(PickleError, match="more than 100 operations"):
        loads(b"N0" * 200 + b"N.", CONSTRUCTORS)
