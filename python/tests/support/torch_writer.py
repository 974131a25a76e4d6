"""Files as ``torch.save`` writes them, without PyTorch."""

import struct

from hostile_weights import tensor, torch_archive

STORAGES = {"f4": "FloatStorage", "f2": "HalfStorage", "f8": "DoubleStorage", "i8": "LongStorage"}


def torch_file(path, content):
    """Write what ``torch.save`` writes for a nest of dicts whose arrays are tensors."""
    storages = {}
    path.write_bytes(torch_archive(b"\x80\x02" + pickled(content, storages) + b".", storages))
    return path


def pickled(value, storages):
    """Return the operations that make a value; the bytes of arrays are put into `storages`."""
    if isinstance(value, dict):
        entries = [pickled(part, storages) for item in value.items() for part in item]
        return b"}(" + b"".join(entries) + b"u"
    if isinstance(value, str):
        return b"X" + struct.pack("<I", len(value)) + value.encode()
    if isinstance(value, int):
        return b"\x8a\x08" + struct.pack("<q", value)
    if isinstance(value, float):
        return b"G" + struct.pack(">d", value)
    key = str(len(storages))
    storages[key] = value.tobytes()
    strides, step = [], value.size
    for extent in value.shape:
        step //= max(extent, 1)
        strides.append(step)
    return tensor(
        kind=STORAGES[value.dtype.str[1:]],
        key=key,
        count=value.size,
        shape=_extents(value.shape, storages),
        strides=_extents(strides, storages),
    )


def _extents(extents, storages):
    return b"(" + b"".join(pickled(int(extent), storages) for extent in extents) + b"t"
