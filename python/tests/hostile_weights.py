"""Files of weights that lie: safetensors, zip archives and pickles, each named by its lie."""

import json
import struct

import numpy as np

VALUES = np.arange(6, dtype="<f4")


def safetensors(header, body=b"", *, length=None):
    """Return a safetensors file whose header says what it likes."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + body


def entry(shape=(6,), offsets=(0, 24), dtype="F32"):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


BODY = VALUES.tobytes()
#: Each with what the refusal says.
SAFETENSORS = {
    "nothing": (b"", "ends after 0 bytes|empty file"),
    "a length alone": (struct.pack("<Q", 2), "header is said to have 2 bytes"),
    "seven bytes": (b"\2\0\0\0\0\0\0", "ends after 7 bytes"),
    "a header longer than the file": (safetensors({"a": entry()}, BODY, length=10**6), "said to"),
    "a header of 2^63 bytes": (safetensors({}, length=2**63), "header is said to have"),
    "a header of 2^64 - 1 bytes": (safetensors({}, length=2**64 - 1), "header is said to have"),
    "a header that is cut": (safetensors({"a": entry()}, BODY, length=20), "header is damaged"),
    "a header of no bytes": (safetensors(b"", BODY), "not a JSON object"),
    "a header that is a list": (safetensors([1, 2], BODY), "not a JSON object"),
    "a header that begins with a space": (safetensors(b" {}"), "not a JSON object"),
    "invalid UTF-8": (safetensors(b'{"\xff\xfe": 1}'), "header is damaged"),
    "a lone surrogate": (safetensors(b'{"\xed\xa0\x80": 1}'), "header is damaged"),
    "a byte order mark": (safetensors(b"\xef\xbb\xbf{}"), "not a JSON object"),
    "deeply nested JSON": (safetensors(b'{"a":' + b"[" * 99_999 + b"]" * 99_999 + b"}"), "nested"),
    "nested objects": (safetensors(b'{"a":' * 99_999 + b"1" + b"}" * 99_999), "nested"),
    "a million lists": (safetensors(b'{"a":[' + b"[]," * 1_000_000 + b"1]}"), "MB of memory"),
    "a key twice": (
        safetensors(b'{"a":%s,"a":%s}' % ((json.dumps(entry()).encode(),) * 2), BODY),
        "'a' twice",
    ),
    "a key twice within": (
        safetensors(b'{"a":{"dtype":"F32","dtype":"F32","shape":[6],"data_offsets":[0,24]}}', BODY),
        "'dtype' twice",
    ),
    "overlapping tensors": (
        safetensors({"a": entry((4,), (0, 16)), "b": entry((4,), (8, 24))}, BODY),
        "'b' overlaps",
    ),
    "two names of one tensor": (safetensors({"a": entry(), "b": entry()}, BODY), "overlaps"),
    "a gap": (safetensors({"a": entry((2,), (0, 8)), "b": entry((2,), (16, 24))}, BODY), "a gap"),
    "a gap at the start": (safetensors({"a": entry((4,), (8, 24))}, BODY), "after a gap"),
    "bytes of no tensor": (safetensors({"a": entry((2,), (0, 8))}, BODY), "tensors end at byte"),
    "no tensors and bytes": (safetensors({}, BODY), "tensors end at byte"),
    "tensors beyond the end": (safetensors({"a": entry((600,), (0, 2400))}, BODY), "tensors end"),
    "offsets out of order": (safetensors({"a": entry((6,), (24, 0))}, BODY), "offsets of 'a'"),
    "a negative offset": (safetensors({"a": entry((6,), (-24, 0))}, BODY), "offsets of 'a'"),
    "three offsets": (safetensors({"a": entry((6,), (0, 12, 24))}, BODY), "offsets of 'a'"),
    "an offset of a float": (safetensors({"a": entry((6,), (0, 24.0))}, BODY), "offsets of 'a'"),
    "an offset of 2^64": (safetensors({"a": entry((6,), (0, 2**64))}, BODY), "offsets of 'a'"),
    "an overflowing shape": (safetensors({"a": entry((2**32, 2**32, 6))}, BODY), "needs .* bytes"),
    "a shape that wraps to fit": (
        safetensors({"a": entry((2**62 + 6,), (0, 24))}, BODY),
        "needs .* bytes",
    ),
    "a shape of 2^63": (safetensors({"a": entry((2**63,))}, BODY), "shape of 'a'"),
    "a negative shape": (safetensors({"a": entry((-6,))}, BODY), "shape of 'a'"),
    "two negative extents": (safetensors({"a": entry((-2, -3))}, BODY), "shape of 'a'"),
    "a shape of a truth value": (safetensors({"a": entry((True, 6))}, BODY), "shape of 'a'"),
    "a shape of nine extents": (safetensors({"a": entry((1,) * 8 + (6,))}, BODY), "shape of 'a'"),
    "a shape of text": (safetensors({"a": {**entry(), "shape": "6"}}, BODY), "shape of 'a'"),
    "an unknown dtype": (safetensors({"a": entry(dtype="F128")}, BODY), "unknown dtype 'F128'"),
    "a dtype of objects": (safetensors({"a": entry(dtype="O")}, BODY), "unknown dtype 'O'"),
    "a dtype that is a list": (safetensors({"a": entry(dtype=["F32"])}, BODY), "unknown dtype"),
    "no dtype": (safetensors({"a": {"shape": [6], "data_offsets": [0, 24]}}, BODY), "is not"),
    "one more key": (safetensors({"a": {**entry(), "offset": 0}}, BODY), "is not"),
    "a tensor that is a number": (safetensors({"a": 6}, BODY), "is not"),
    "metadata of numbers": (
        safetensors({"__metadata__": {"a": 1}, "a": entry()}, BODY),
        "metadata are not all text",
    ),
    "metadata that are a list": (
        safetensors({"__metadata__": ["a"], "a": entry()}, BODY),
        "metadata are not all text",
    ),
    "NaN for an offset": (
        safetensors(b'{"a":{"dtype":"F32","shape":[6],"data_offsets":[0,NaN]}}', BODY),
        "offsets of 'a'",
    ),
}
