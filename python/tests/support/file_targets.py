"""Every reader of files, each with sound files to change, for `run_file_fuzz.py`."""

import gzip
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import data_files
import numpy as np
from hostile_weights import LEGACY, safetensors, torch_archive
from safetensors.numpy import save
from torch_writer import pickled, torch_file

import skd
import skd.callbacks
from skd._files import checksummed
from skd.plots import training_curves
from skd.recipes import RunFolder
from skd.recipes import load as load_recipe

WIDTHS = (4, 4, 4, 4)
SIDE = 16
LABELS = np.repeat(np.arange(4), 5)
FEATURES = np.random.default_rng(0).standard_normal((20, 6))


def same(content: bytes) -> bytes:
    """Return content as it is: nothing is computed anew over it."""
    return content


class Sample(NamedTuple):
    """Sound content, and what makes a file of changed content, such as its checksum."""

    content: bytes
    finish: Callable[[bytes], bytes] = same


class Target(NamedTuple):
    """A reader of a file, whose other files are sound."""

    name: str
    path: Path
    read: Callable[[], object]
    samples: list[Sample]
    called: str = ""  # what errors may call the file instead of its path


def resealed(content: bytes) -> bytes:
    """Return a sealed file whose checksum is right again, if it still has one."""
    found = checksummed.CHECKSUM.search(content, 0, 100_000)
    if found is None:
        return content
    digest = checksummed._digest(content, found)
    return content[: found.start(1)] + digest + content[found.end(1) :]


def zipped(name: str, **options: int) -> Callable[[bytes], bytes]:
    """Return what puts content into an archive under a name."""

    def archive(content: bytes) -> bytes:
        output = io.BytesIO()
        with zipfile.ZipFile(output, "w", **options) as target:
            target.writestr(name, content)
        return output.getvalue()

    return archive


def png_checked(content: bytes) -> bytes:
    """Return a PNG file with the checksums of its chunks computed anew."""
    data, place = bytearray(content), 8
    while place + 12 <= len(data):
        end = place + 8 + int.from_bytes(data[place : place + 4], "big")
        if end + 4 > len(data):
            break
        data[end : end + 4] = struct.pack(">I", zlib.crc32(data[place + 4 : end]))
        place = end + 4
    return bytes(data)


def targets(folder: Path) -> list[Target]:
    """Return all targets; their files lie in a folder."""
    return [*_weights(folder), *_records(folder), *_data_sets(folder), *_pictures(folder)]


def _model(architecture: str = "convnet4", **options: object) -> skd.Model:
    made = skd.create_model(architecture, num_classes=3, image_size=SIDE, widths=WIDTHS, **options)
    made.normalization = (0.5, 0.25)
    return made


def _state(model: skd.Model) -> dict[str, np.ndarray]:
    return {name: np.array(array, order="C") for name, array in model.state_dict().items()}


def _written(path: Path, write: Callable[[Path], object]) -> bytes:
    write(path)
    return path.read_bytes()


def _plain(model: skd.Model) -> bytes:
    """Return a checkpoint without a checksum."""
    metadata = {"config": model.config, "normalization": model.normalization}
    return save(_state(model), {"skd": json.dumps(metadata)})


def _weights(folder: Path) -> list[Target]:
    small, gated = _model(), _model("resnet12", use_se=True)
    path = folder / "model.safetensors"
    models = [Sample(_plain(small)), Sample(_plain(gated))]
    sealed = _written(path, small.save)
    models += [Sample(sealed), Sample(sealed, resealed)]
    weights = folder / "weights.pth"
    storages: dict[str, bytes] = {}
    operations = b"\x80\x02" + pickled({"model": _state(small), "epoch": 3}, storages) + b"."
    keys = b"\x80\x02](" + b"".join(pickled(key, storages) for key in storages) + b"e."
    tail = b"".join(
        struct.pack("<q", len(raw) // (8 if len(raw) == 8 else 4)) + raw
        for raw in storages.values()
    )
    state = _state(small)
    half = {
        name: ("BF16", (array.view(np.uint32) >> 16).astype(np.uint16))
        if array.dtype == np.float32
        else ("I64", array)
        for name, array in state.items()
    }
    header, body = {}, b""
    for name, (dtype, array) in half.items():
        ends = [len(body), len(body) + array.nbytes]
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": ends}
        body += array.tobytes()
    foreign = [
        Sample(_written(weights, lambda path: torch_file(path, {"net": state}))),
        Sample(operations, lambda content: torch_archive(content, storages)),
        Sample(LEGACY + operations + keys + tail),
        Sample(save(state, {"format": "pt"})),
        Sample(safetensors(header, body)),
    ]
    images = np.linspace(-1, 1, 6 * SIDE * SIDE * 3).reshape(6, SIDE, SIDE, 3)
    few = folder / "few.safetensors"
    classifiers = []
    for head in ("logistic", "nearest_neighbor", "nearest_centroid"):
        fitted = skd.FewShotClassifier(small, head=head, n_support_copies=1)
        fitted.fit(images, ["a", "b", "c"] * 2)
        classifiers.append(Sample(_written(few, fitted.save)))
        classifiers.append(
            Sample(_written(few, lambda p, f=fitted: f.save(p, include_model=False)))
        )
    return [
        Target("models", path, lambda: skd.load_model(path), models),
        Target("weights", weights, lambda: skd.import_torch(weights, image_size=SIDE), foreign),
        Target(
            "few-shot classifiers",
            few,
            lambda: skd.FewShotClassifier.load(few, model=small),
            classifiers,
        ),
    ]


def _checkpoints(folder: Path) -> Target:
    """Return the reader of a training's checkpoint; the training is over."""
    run = folder / "run"
    images = np.random.default_rng(0).integers(0, 256, (8, SIDE, SIDE, 3), dtype=np.uint8)
    split = skd.datasets.from_arrays(images, np.arange(8) % 2)
    options = {"epochs": 1, "batch_size": 4, "progress": False, "checkpoint_dir": run}

    def resume() -> None:
        model = skd.create_model("convnet4", num_classes=2, image_size=SIDE, widths=WIDTHS)
        skd.Supervised(model).fit(split, resume=True, **options)

    resume()
    for path in sorted(run.glob("*.safetensors"))[:-1]:
        path.unlink()
    (path,) = run.glob("*.safetensors")
    content = path.read_bytes()
    return Target("checkpoints", path, resume, [Sample(content), *[Sample(content, resealed)] * 3])


def _feature_files(folder: Path) -> list[Target]:
    """Return the readers of files of features."""
    description = {
        "format": "skd-features",
        "version": 1,
        "features": "embedding",
        "normalization": {"mean": [0.5], "std": [0.5]},
        "sha256": skd.FeatureSet(FEATURES, LABELS).sha256,
        "model": {"architecture": "resnet12", "image_size": 84, "sha256": "0"},
        "data": {"name": "mine", "split": "val", "sha256": "0"},
    }
    embedded, theirs = io.BytesIO(), io.BytesIO()
    texts = {"class_names": np.array(list("abcd")), "meta": np.array(json.dumps(description))}
    np.savez(embedded, features=FEATURES.astype(np.float32), labels=LABELS, **texts)
    np.savez_compressed(theirs, x=FEATURES, y=np.array(list("abcd"))[LABELS])
    matrix = io.BytesIO()
    np.save(matrix, FEATURES)
    tensors = save({"features": FEATURES.astype(np.float16), "labels": LABELS})
    path, labels = folder / "features", folder / "labels.npy"
    np.save(labels, LABELS)
    samples = [Sample(file.getvalue()) for file in (embedded, theirs)]
    alone = [Sample(matrix.getvalue()), Sample(tensors)]
    return [
        Target("features", path, lambda: skd.load_features(path), [*samples, alone[1]]),
        Target("matrices", path, lambda: skd.load_features(path, labels), alone),
    ]


def _records(folder: Path) -> list[Target]:
    names = ("episodes.safetensors", "report.json", "own.toml", "history.csv")
    episodes, report, recipe, history = (folder / name for name in names)

    def evaluate() -> skd.EvaluationResult:
        return skd.evaluate_features(
            FEATURES, LABELS, n_way=2, n_shot=1, n_query=2, n_episodes=4, episodes_file=episodes,
            classifier="nearest_centroid",
        )  # fmt: skip

    result = evaluate()
    own = load_recipe("gen1-glyphs").to_toml().encode()
    config = folder / "run-config" / "config.toml"
    config.parent.mkdir()
    started = RunFolder(config.parent)
    resolved = load_recipe("gen0-glyphs")
    return [
        *_feature_files(folder),
        _checkpoints(folder),
        Target("episodes", episodes, evaluate, [Sample(episodes.read_bytes())]),
        Target(
            "reports",
            report,
            lambda: skd.EvaluationResult.load(report),
            [Sample(_written(report, result.save))],
        ),
        Target(
            "histories",
            history,
            lambda: training_curves._read(history, "TrainingCurvesDisplay.from_run"),
            [Sample(_written(history, _history))],
        ),
        Target(
            "recipes",
            recipe,
            lambda: load_recipe(recipe),
            [
                Sample(own),
                Sample(b'stage = "gen0"\nextends = "gen0-glyphs"\n[data]\nnum_classes = 3'),
            ],
            called="recipe",
        ),
        Target(
            "configurations of runs",
            config,
            lambda: started.require_same_run(resolved, may_be_longer=True),
            [Sample(resolved.to_toml().encode())],
        ),
    ]


def _history(path: Path) -> None:
    """Write the history of a training of two epochs."""
    images = np.random.default_rng(0).integers(0, 256, (20, SIDE, SIDE, 3), dtype=np.uint8)
    split = skd.datasets.from_arrays(images, np.arange(20) % 2)
    skd.Supervised(_model()).fit(
        split, val=split, epochs=2, batch_size=10, progress=False,
        callbacks=[skd.callbacks.HistoryFile(path)],
    )  # fmt: skip


def _data_target(
    folder: Path,
    name: str,
    write: Callable,
    file: str,
    data: str,
    *finishes: Callable,
    side: int = 32,
    content: Callable = Path.read_bytes,
) -> Target:
    """Return the reader of a data set, one of whose files is changed."""
    root = folder / name.replace(" ", "-")
    root.mkdir()
    write(root, data_files.make_parts(side))
    path = root / file
    samples = [Sample(content(path), finish) for finish in finishes or (same,)]
    return Target(name, path, lambda: skd.datasets.load(data, root), samples)


def _imported(root: Path, parts: object) -> None:
    source = root.with_name(root.name + "-source")
    source.mkdir()
    data_files.write_pickles(source, parts)
    skd.datasets.import_data(source, name="cifar-fs", to=root)


def _cifar(root: Path, parts: object) -> None:
    data_files.write_cifar100(root / "cifar-100-python.tar.gz", data_files.cifar100_files())


def _inner(name: str) -> Callable[[Path], bytes]:
    def content(path: Path) -> bytes:
        with zipfile.ZipFile(path) as archive:
            return archive.read(name)

    return content


def _data_sets(folder: Path) -> list[Target]:
    deflated = {"compression": zipfile.ZIP_DEFLATED}
    cases = (
        ("pickles", data_files.write_pickles, "train.pickle", "cifar-fs"),
        ("array files", data_files.write_numpy_files, "train_images.npy", "cifar-fs"),
        ("label files", data_files.write_numpy_files, "train_labels.npy", "cifar-fs"),
        ("archives", data_files.write_numpy_archives, "train.npz", "cifar-fs"),
        ("lists", data_files.write_lists, "train.csv", "cifar-fs"),
        ("native images", _imported, "train/images.npy", "cifar-fs"),
        ("native labels", _imported, "train/labels.npy", "cifar-fs"),
        ("native descriptions", _imported, "train/meta.json", "cifar-fs"),
        ("CIFAR-100", _cifar, "cifar-100-python.tar.gz", "fc100"),
    )
    made = [_data_target(folder, *case) for case in cases]
    made.append(
        _data_target(folder, "CIFAR-100 unpacked", _cifar, "cifar-100-python.tar.gz", "fc100",
                     lambda tar: gzip.compress(tar, 1),
                     content=lambda path: gzip.decompress(path.read_bytes()))
    )  # fmt: skip
    wide = {"side": 84}
    made += [
        _data_target(folder, "caches", data_files.write_caches, "mini-imagenet-cache-train.pkl",
                     "mini-imagenet", **wide),
        _data_target(folder, "tiered pictures", data_files.write_tiered_pngs,
                     "train_images_png.pkl", "tiered-imagenet", **wide),
        _data_target(folder, "tiered labels", data_files.write_tiered, "train_labels.pkl",
                     "tiered-imagenet", **wide),
        _data_target(folder, "tiered archives", data_files.write_tiered, "train_images.npz",
                     "tiered-imagenet", zipped("images.npy"), zipped("images.npy", **deflated),
                     content=_inner("images.npy"), **wide),
    ]  # fmt: skip
    return made


def _pictures(folder: Path) -> list[Target]:
    from PIL import Image

    classifier = skd.FewShotClassifier(_model(), head="nearest_centroid", n_support_copies=1)
    pixels = np.random.default_rng(0).integers(0, 256, (6, SIDE, SIDE, 3), dtype=np.uint8)
    classifier.fit(pixels, [0, 1, 2] * 2)
    picture = Image.fromarray(np.random.default_rng(1).integers(0, 256, (20, 24, 3), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    kinds = {
        "picture.jpg": [picture.convert(mode) for mode in ("RGB", "L", "CMYK")],
        "picture.png": [picture.convert(mode) for mode in ("RGB", "P", "RGBA", "LA", "I;16", "1")],
        "picture.gif": [picture.convert("P")],
        "picture.bmp": [picture, picture.convert("1")],
        "picture.tif": [picture.convert(mode) for mode in ("RGB", "F", "I;16", "CMYK", "1")],
        "picture.webp": [picture.convert("RGBA")],
        "picture.ppm": [picture],
        "picture.jp2": [picture],
    }
    ways = {
        "picture.jpg": [(picture, {"progressive": True}), (picture, {"subsampling": 0})],
        "picture.tif": [
            (picture, {"compression": "tiff_lzw"}),
            (picture, {"compression": "tiff_adobe_deflate"}),
            (picture, {"compression": "jpeg"}),
            (picture.convert("1"), {"compression": "group4"}),
        ],
        "picture.webp": [(picture, {"lossless": True})],
        "picture.gif": [(picture.convert("P"), {"save_all": True, "append_images": [picture]})],
    }
    made = []
    for name, images in kinds.items():
        path = folder / name
        samples = []
        for image in images:
            options = {"exif": exif} if name.endswith(("jpg", "png", "tif", "webp")) else {}
            content = _written(path, lambda p, i=image, o=options: i.save(p, **o))
            finishes = (same, png_checked) if name.endswith("png") else (same,)
            samples += [Sample(content, finish) for finish in finishes]
        for image, options in ways.get(name, ()):
            content = _written(path, lambda p, i=image, o=options: i.save(p, **o))
            samples.append(Sample(content))
        made.append(Target(name, path, lambda p=path: classifier.predict(p), samples))
    return made
