"""Writes small data sets in the layouts that others publish, to the byte."""

import io
import pickle
import struct
import tarfile

import numpy as np

from skd.datasets.class_lists import ALL_CLASSES

PARTS = ("train", "val", "test")
PER_CLASS = 3


def python2_pickle(value):
    """Return what cPickle of Python 2 with NumPy 1 writes under protocol 2."""
    return b"\x80\x02" + _python2(value) + b"."


def _python2(value):
    if isinstance(value, dict):
        items = b"".join(_python2(key) + _python2(entry) for key, entry in value.items())
        return b"}(" + items + b"u"
    if isinstance(value, list):
        return b"](" + b"".join(map(_python2, value)) + b"e"
    if isinstance(value, tuple):
        return b"(" + b"".join(map(_python2, value)) + b"t"
    if isinstance(value, (str, bytes)):
        raw = value.encode() if isinstance(value, str) else value
        short = len(raw) < 256
        size = struct.pack("<B", len(raw)) if short else struct.pack("<i", len(raw))
        return (b"U" if short else b"T") + size + raw
    if value is None:
        return b"N"
    if isinstance(value, bool):
        return b"\x88" if value else b"\x89"
    if isinstance(value, int):
        return (
            b"K" + struct.pack("<B", value) if 0 <= value < 256 else b"J" + struct.pack("<i", value)
        )
    kind = value.dtype.str[1:]
    order = value.dtype.str[0]
    dtype = b"cnumpy\ndtype\n" + _python2((kind, 0, 1)) + b"R"
    dtype += _python2((3, order, None, None, None, -1, -1, 0)) + b"b"
    head = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n" + _python2((0,)) + b"U\x01btR"
    )
    state = b"(K\x01" + _python2(value.shape) + dtype + b"\x89" + _python2(value.tobytes()) + b"t"
    return head + state + b"b"


def make_parts(side, seed=0):
    """Return images and original labels of three small parts, labels not in order."""
    rng = np.random.default_rng(seed)
    labels = {"train": (7, 2, 5), "val": (70, 64), "test": (99, 80)}
    parts = {}
    for part, classes in labels.items():
        tags = np.repeat(classes, PER_CLASS)
        images = rng.integers(0, 256, (len(tags), side, side, 3), dtype=np.uint8)
        parts[part] = (images, tags.astype(np.int64))
    return parts


def write_mini_pickles(folder, parts):
    stems = {"train": "train_phase_train", "val": "val", "test": "test"}
    for part, (images, labels) in parts.items():
        path = folder / f"miniImageNet_category_split_{stems[part]}.pickle"
        content = {"catname2label": {"n01": 0}, "data": images, "labels": labels.tolist()}
        path.write_bytes(python2_pickle(content))


def write_pickles(folder, parts, prefix=""):
    for part, (images, labels) in parts.items():
        content = {"data": images, "labels": labels.tolist()}
        (folder / f"{prefix}{part}.pickle").write_bytes(python2_pickle(content))


def write_caches(folder, parts):
    for part, (images, labels) in parts.items():
        classes = {
            f"n{label:08d}": np.flatnonzero(labels == label).tolist() for label in np.unique(labels)
        }
        path = folder / f"mini-imagenet-cache-{part}.pkl"
        path.write_bytes(python2_pickle({"image_data": images, "class_dict": classes}))


def write_tiered(folder, parts, save=np.savez):
    for part, (images, labels) in parts.items():
        save(folder / f"{part}_images.npz", images=images[..., ::-1])
        path = folder / f"{part}_labels.pkl"
        path.write_bytes(python2_pickle({"labels": labels.tolist()}))


def png_file(image):
    """Return the content of a PNG file as bytes in an array."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "PNG")
    return np.frombuffer(stream.getvalue(), dtype=np.uint8)


def write_tiered_pngs(folder, parts):
    """Write what the authors publish; OpenCV made columns of the bytes, and later vectors."""
    for part, (images, labels) in parts.items():
        coded = [png_file(image) for image in images]
        if part == "val":
            content = python2_pickle([file.reshape(-1, 1).copy() for file in coded])
        else:
            content = pickle.dumps(coded)
        (folder / f"{part}_images_png.pkl").write_bytes(content)
        names = [f"n{label}" for label in range(labels.max() + 1)]
        held = {"label_specific": labels, "label_general": labels, "label_specific_str": names}
        (folder / f"{part}_labels.pkl").write_bytes(python2_pickle(held))


def write_numpy_archives(folder, parts):
    for part, (images, labels) in parts.items():
        np.savez(folder / f"{part}.npz", images=images, labels=labels)


def write_numpy_files(folder, parts):
    for part, (images, labels) in parts.items():
        np.save(folder / f"{part}_images.npy", images)
        np.save(folder / f"{part}_labels.npy", labels.astype(np.int32))


def write_pictures(folder, images, labels):
    """Write PNG files in folders of classes; return their names in order."""
    from PIL import Image

    names = []
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        path = folder / f"class{label:03d}" / f"{number:04d}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(image).save(path)
        names.append(path.name)
    return names


def write_class_folders(folder, parts):
    for part, (images, labels) in parts.items():
        (folder / part).mkdir()
        write_pictures(folder / part, images, labels)


def write_lists(folder, parts):
    from PIL import Image

    (folder / "images").mkdir()
    for part, (images, labels) in parts.items():
        lines = ["filename,label"]
        for number, (image, label) in enumerate(zip(images, labels, strict=True)):
            name = f"{part}{number:04d}.png"
            Image.fromarray(image).save(folder / "images" / name)
            lines.append(f"{name},n{label:08d}")
        (folder / f"{part}.csv").write_text("\n".join(lines) + "\n")


def cifar100_files(seed=0):
    """Return the content of CIFAR-100's three files, with few images."""
    rng = np.random.default_rng(seed)
    names = sorted(ALL_CLASSES)
    contents = {"meta": {"fine_label_names": names, "coarse_label_names": ["x"] * 20}}
    for part, per_class in (("train", 2), ("test", 1)):
        labels = rng.permutation(np.repeat(np.arange(100), per_class))
        data = rng.integers(0, 256, (len(labels), 3072), dtype=np.uint8)
        contents[part] = {
            "filenames": [f"{label}.png" for label in labels],
            "batch_label": "batch",
            "fine_labels": labels.tolist(),
            "coarse_labels": (labels // 5).tolist(),
            "data": data,
        }
    return contents


def write_cifar100(path, contents, change=lambda member: member):
    """Write CIFAR-100's archive; `change` may alter the header of a member."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in contents.items():
            raw = content if isinstance(content, bytes) else python2_pickle(content)
            member = tarfile.TarInfo(f"cifar-100-python/{name}")
            member.size = len(raw)
            archive.addfile(change(member), io.BytesIO(raw))
