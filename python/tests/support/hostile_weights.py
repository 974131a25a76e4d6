"""Files of weights that lie: safetensors, zip archives and pickles, each named by its lie."""

import io
import json
import pickle
import struct
import zipfile

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
    "no dtype": (
        safetensors({"a": {"shape": [6], "data_offsets": [0, 24]}}, BODY),
        "does not describe",
    ),
    "one more key": (safetensors({"a": {**entry(), "offset": 0}}, BODY), "does not describe"),
    "a tensor that is a number": (safetensors({"a": 6}, BODY), "does not describe"),
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


# ---------------------------------------------------------------------- files of torch.save


def torch_archive(content, storages=(), **options):
    """Return a zip archive like those of ``torch.save``."""
    data = content if isinstance(content, bytes) else pickle.dumps(content, protocol=2)
    members = {"data.pkl": data, **{f"data/{key}": value for key, value in dict(storages).items()}}
    return archive_of({f"archive/{name}": value for name, value in members.items()}, **options)


def archive_of(members, **options):
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", **options) as target:
        for name, value in members.items():
            target.writestr(name, value)
    return output.getvalue()


def linked(data):
    """Return an archive that holds a symbolic link out of it besides."""
    output = io.BytesIO(data)
    with zipfile.ZipFile(output, "a") as target:
        link = zipfile.ZipInfo("archive/data/0")
        link.external_attr = 0o120777 << 16
        target.writestr(link, "../../../../etc/passwd")
    return output.getvalue()


def zip_bomb():
    """Return 400 MB of zeros in 0.4 MB."""
    output = io.BytesIO()
    with (
        zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as target,
        target.open("archive/data.pkl", "w") as file,
    ):
        for _ in range(100):
            file.write(bytes(4_000_000))
    return output.getvalue()


def overlapping():
    """Return an archive whose list names one member a thousand times."""
    data = archive_of({"archive/data.pkl": b"}." + bytes(100_000)})
    end = data.rindex(b"PK\5\6")
    start = struct.unpack("<I", data[end + 16 : end + 20])[0]
    entry, count = data[start:end], 1000
    entries = b"".join(
        entry.replace(b"archive/data.pkl", b"archive/dat%05d" % number) for number in range(count)
    )
    sizes = struct.pack("<HHII", count, count, len(entries), start)
    return data[:start] + entries + data[end : end + 8] + sizes + data[end + 20 :]


def many_members():
    """Return an archive that lists a million members of which none is there."""
    entry = struct.pack("<4s6H3I5H2I", b"PK\1\2", *(0,) * 16)
    listed = entry * 100_000
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 65535, 65535, len(listed), 0, 0)
    return b"PK\3\4" + listed + end


def called(module, name, *arguments):
    """Return a pickle that calls a name."""
    given = b"".join(b"X" + struct.pack("<I", len(a)) + a for a in map(str.encode, arguments))
    return b"\x80\x02c" + module.encode() + b"\n" + name.encode() + b"\n(" + given + b"tR."


def storage(kind="FloatStorage", key="0", count=6, more=b""):
    """Return the operations that name a storage."""
    name = b"X" + struct.pack("<I", len(key)) + key.encode()
    number = b"\x8a\x08" + struct.pack("<q", count)
    named = b"(X\x07\0\0\0storagectorch\n" + kind.encode() + b"\n" + name
    return named + b"X\x03\0\0\0cpu" + number + more + b"tQ"


def tensor(shape=b"(K\x06t", strides=b"(K\x01t", offset=b"K\0", **options):
    """Return the operations that make a tensor."""
    made = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage(**options) + offset + shape + strides
    return made + b"\x89}tR"


def holding(operations):
    """Return a pickle of a dict that holds what the operations make."""
    return b"\x80\x02}X\x06\0\0\0weight" + operations + b"s."


def torch_tensor(**options):
    return torch_archive(holding(tensor(**options)), {"0": BODY})


DAG = b"\x80\x02)" + b"q\0h\0\x86" * 60  # pairs of one tuple, in pairs
LEGACY = b"".join(
    pickle.dumps(part, 2)
    for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True, "protocol_version": 1001})
)
TORCH_FILES = {
    # What is something else.
    "nothing": (b"", "an empty file"),
    "an HTML page": (b"<html>404</html>", "an HTML page"),
    "a pointer of Git LFS": (b"version https://git-lfs.github.com/spec/v1\n", "pointer of Git LFS"),
    "a notebook": (b'{\n "cells": [\n  {\n   "cell_type": "code"', "a Jupyter notebook"),
    "JSON": (b'{"weight_map": {}}', "a JSON file"),
    "a text": (b"epoch,loss\n1,0.5\n", "it is a text file"),
    "an array of NumPy": (b"\x93NUMPY\1\0", "an array file of NumPy"),
    "an archive of NumPy": (archive_of({"weight.npy": b"\x93NUMPY"}), "archive of NumPy arrays"),
    "an HDF5 file": (b"\x89HDF\r\n\x1a\n" + bytes(90), "an HDF5 file"),
    "a gzip archive": (b"\x1f\x8b\x08" + bytes(90), "a gzip archive"),
    "a tar archive": (bytes(257) + b"ustar\x0000" + bytes(248), "a tar archive"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(90), "a PNG picture"),
    "a zip archive": (archive_of({"photos/a.png": b"?", "b": b""}), "it holds 'photos/a.png', 'b'"),
    "an empty zip archive": (archive_of({}), "it is a zip archive"),
    "a program of TorchScript": (
        archive_of({"net/data.pkl": b"N.", "net/code/a.py": b"", "net/constants.pkl": b"N."}),
        "a TorchScript program",
    ),
    "a pickle of NumPy": (pickle.dumps({"w": np.zeros(2)}, 2), "not data|does not begin"),
    "a pickle of numbers": (pickle.dumps({"model": {}}, 2), "does not begin"),
    "random bytes": (
        np.random.default_rng(0).bytes(5000),
        "not a file of torch.save|not an operation",
    ),
    # Archives that lie.
    "half an archive": (torch_archive({})[:60], "damaged"),
    "four bytes of an archive": (b"PK\3\4", "damaged"),
    "a compressed archive": (torch_archive({}, compression=zipfile.ZIP_DEFLATED), "compressed"),
    "a zip bomb": (zip_bomb(), "compressed"),
    "overlapping members": (overlapping(), "overlap|without data.pkl"),
    "a list of very many members": (many_members(), "longer than 1,048,576 bytes"),
    "a link out of the archive": (
        linked(torch_archive(holding(tensor()))),
        "'0' has another size",
    ),
    "members with absolute names": (
        archive_of({"/etc/data.pkl": b"N.", "../../data.pkl": b"N."}),
        "without data.pkl",
    ),
    "two pickles": (archive_of({"a/data.pkl": b"}.", "b/data.pkl": b"}."}), "without data.pkl"),
    "another byte order": (
        archive_of({"a/data.pkl": b"}.", "a/byteorder": b"middle"}),
        "damaged",
    ),
    "no storage": (torch_archive(holding(tensor())), "lacks the storage '0'"),
    "a storage of another size": (
        torch_archive(holding(tensor()), {"0": BODY[:-1]}),
        "'0' has another size",
    ),
    "a storage of 2^62 numbers": (torch_tensor(count=2**62), "another size"),
    "a storage of a negative count": (torch_tensor(count=-1), "no name or size"),
    "a storage of an unknown type": (torch_tensor(kind="QInt8Storage"), "QInt8Storage"),
    "a storage that is a view": (torch_tensor(more=b"K\x01"), "a view of another"),
    "a storage of two types": (
        torch_archive(
            b"\x80\x02}(K\x01" + tensor() + b"K\x02" + tensor(kind="LongStorage") + b"u.",
            {"0": BODY},
        ),
        "two types or sizes",
    ),
    "a tensor beyond its storage": (torch_tensor(shape=b"(K\x07t"), "larger than its storage"),
    "a tensor of a negative shape": (
        torch_tensor(shape=b"(J\xff\xff\xff\xfft"),
        "an impossible shape",
    ),
    "a tensor that shows a number twice": (
        torch_tensor(shape=b"(K\x06K\x06t", strides=b"(K\0K\x01t"),
        "larger than its storage",
    ),
    "a tensor of 300 dimensions": (
        torch_tensor(shape=b"(" + b"K\x01" * 300 + b"t", strides=b"(" + b"K\x01" * 300 + b"t"),
        "too many dimensions",
    ),
    "a tensor without a storage": (
        torch_archive(holding(b"ctorch._utils\n_rebuild_tensor_v2\n(NK\0))tR")),
        "has no storage",
    ),
    "a whole module": (
        torch_archive(b"\x80\x02(X\x06\0\0\0modulecnet\nResNet\nNNNtQ."),
        "net.ResNet, which is not data; save the state_dict alone",
    ),
    "a checkpoint without tensors": (torch_archive({"weight": 3}), "no tensors, but 'weight'"),
    "a list": (torch_archive([1, 2]), "a list, not a state dict"),
    # Pickles that lie.
    "a pickle that runs a command": (torch_archive(called("os", "system", "touch x")), "os.system"),
    "a legacy pickle that runs a command": (
        LEGACY + called("posix", "system", "x"),
        "posix.system",
    ),
    "a name that is looked up in two steps": (
        torch_archive(called("builtins", "getattr", "os", "system")),
        "builtins.getattr",
    ),
    "a name within a name": (
        torch_archive(b"\x80\x04\x8c\x02os\x8c\x0bpath.system\x93."),
        "os.path",
    ),
    "a name in two lines": (torch_archive(b"\x80\x04\x8c\x02os\x8c\x06sy\nstm\x93."), "not a name"),
    "a name of a number": (torch_archive(b"\x80\x04K\x01K\x02\x93."), "is not text"),
    "an instance of a class": (
        torch_archive(b"(ios\nsystem\n."),
        "0x69, which is not an operation",
    ),
    "an object of a class": (torch_archive(b"(cos\nsystem\no."), "os.system"),
    "a call of a number": (torch_archive(b"\x80\x02K\x01)R."), "calls what is not a name"),
    "a call of a storage": (torch_archive(b"\x80\x02" + storage() + b")R."), "calls what is not"),
    "a state of a number": (torch_archive(b"\x80\x02K\x01}b."), "sets the state"),
    "an extension": (torch_archive(b"\x80\x02\x82\x01."), "0x82, which is not an operation"),
    "a buffer outside": (torch_archive(b"\x80\x05\x97."), "0x97, which is not an operation"),
    "a persistent id that is text": (torch_archive(b"\x80\x02X\x01\0\0\0xQ."), "whole module"),
    "a nest of tuples that doubles sixty times": (
        torch_archive(DAG + b"\x85Q."),
        "whole module",
    ),
    "a storage whose type is such a nest": (
        torch_archive(
            b"\x80\x02(X\x07\0\0\0storage" + DAG[2:] + b"X\x01\0\0\x000X\x01\0\0\0cK\x06tQ."
        ),
        "of the type tuple",
    ),
    "a key that is such a nest": (torch_archive(b"\x80\x02}" + DAG[2:] + b"Ns."), "key of a dict"),
    "an ordered dict of such a key": (
        torch_archive(b"\x80\x02ccollections\nOrderedDict\n](" + DAG[2:] + b"N\x86e\x85R."),
        "key of a dict",
    ),
    "a dict that holds itself": (
        torch_archive(b"\x80\x02}q\0X\x01\0\0\0ah\0s."),
        "no tensors, but 'a'",
    ),
    "a memo of 2^31": (torch_archive(b"\x80\x02r\xff\xff\xff\x7f."), "damaged near byte"),
    "bytes of 2^63": (torch_archive(b"\x80\x04\x8e" + b"\xff" * 7 + b"\x7f."), "are declared"),
    "a bytearray of 2^63": (
        torch_archive(b"\x80\x05\x96" + b"\xff" * 7 + b"\x7f."),
        "are declared",
    ),
    "a number of 2^31 bytes": (torch_archive(b"\x80\x02\x8b\xff\xff\xff\x7f."), "a number in it"),
    "a number of many digits": (torch_archive(b"I" + b"9" * 100_000 + b"\n."), "too long"),
    "a million lists": (torch_archive(b"]" * 1_000_000 + b"."), "far more than its size"),
    "a million dicts": (torch_archive(b"}" * 1_000_000 + b"."), "far more than its size"),
    "a million entries of the memo": (
        torch_archive(b"\x80\x04N" + b"\x94" * 1_000_000 + b"."),
        "far more than its size",
    ),
    "marks without end": (torch_archive(b"(" * 100_000), "truncated"),
    "lists in lists": (torch_archive(b"]" * 100_000 + b"a" * 99_999 + b"."), "not a state dict"),
    "an unpopped mark": (torch_archive(b"(."), "uses a mark as a value"),
    "nothing on the stack": (torch_archive(b"."), "damaged near byte"),
    "no end": (torch_archive(b"N"), "truncated"),
    # Legacy streams that lie.
    "the magic number alone": (LEGACY[:15], "truncated"),
    "legacy of another protocol": (
        LEGACY[:15] + pickle.dumps(1002, 2),
        "its protocol is not 1001",
    ),
    "legacy without a byte order": (
        b"".join(pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, [])),
        "damaged",
    ),
    "legacy that lacks a storage": (
        LEGACY + holding(tensor()) + pickle.dumps(["1"], 2),
        "differ from those that its tensors name",
    ),
    "legacy whose storage is cut": (
        LEGACY + holding(tensor()) + pickle.dumps(["0"], 2) + struct.pack("<q", 6) + BODY[:-1],
        "ends within the storage '0'",
    ),
    "legacy whose storage is longer": (
        LEGACY + holding(tensor()) + pickle.dumps(["0"], 2) + struct.pack("<q", 7) + BODY,
        "'0' has another size",
    ),
}
