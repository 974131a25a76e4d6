"""Every published layout loads, directly and after import, to the same images and labels."""

import json
import pickle

import data_files
import numpy as np
import pytest

import skd
from skd.datasets.class_lists import ALL_CLASSES, SUPERCLASSES, class_list

LAYOUTS = {
    "RFS pickles of mini": ("mini-imagenet", data_files.write_mini_pickles),
    "cache pickles of mini": ("mini-imagenet", data_files.write_caches),
    "archives of tiered": ("tiered-imagenet", data_files.write_tiered),
    "PNG files of tiered in pickles": ("tiered-imagenet", data_files.write_tiered_pngs),
    "compressed archives of tiered": (
        "tiered-imagenet",
        lambda folder, parts: data_files.write_tiered(folder, parts, np.savez_compressed),
    ),
    "RFS pickles of CIFAR-FS": ("cifar-fs", data_files.write_pickles),
    "RFS pickles of FC100": ("fc100", data_files.write_pickles),
    "MetaOptNet's CIFAR-FS": (
        "cifar-fs",
        lambda folder, parts: data_files.write_pickles(folder, parts, "CIFAR_FS_"),
    ),
    "MetaOptNet's FC100": (
        "fc100",
        lambda folder, parts: data_files.write_pickles(folder, parts, "FC100_"),
    ),
    "lists of pictures": ("mini-imagenet", data_files.write_lists),
    "class folders": ("cifar-fs", data_files.write_class_folders),
    "NumPy archives": ("fc100", data_files.write_numpy_archives),
    "NumPy files": ("mini-imagenet", data_files.write_numpy_files),
}


SIDES = {"mini-imagenet": 84, "tiered-imagenet": 84, "cifar-fs": 32, "fc100": 32}


def assert_same_split(got, expected):
    np.testing.assert_array_equal(got.images, expected.images)
    np.testing.assert_array_equal(got.labels, expected.labels)
    np.testing.assert_array_equal(got.original_labels, expected.original_labels)
    assert got.class_names == expected.class_names
    assert (got.mean, got.std) == (expected.mean, expected.std)
    assert got.sha256 == expected.sha256


def sorted_by_class(images, labels):
    """Return images in the order of class folders, which keeps the order within a class."""
    order = np.argsort(labels, kind="stable")
    return images[order], labels[order]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layout_loads_directly_and_after_import(layout, tmp_path):
    name, write = LAYOUTS[layout]
    parts = data_files.make_parts(SIDES[name])
    source, target = tmp_path / "source", tmp_path / "imported"
    source.mkdir()
    write(source, parts)
    direct = skd.datasets.load(name, source)
    assert skd.datasets.import_data(source, name=name, to=target) == target
    imported = skd.datasets.load(name, root=target)
    for part, (images, labels) in parts.items():
        if layout == "class folders":
            images, labels = sorted_by_class(images, labels)
        split = getattr(direct, part)
        np.testing.assert_array_equal(split.images, images)
        np.testing.assert_array_equal(split.labels, np.searchsorted(np.unique(labels), labels))
        assert_same_split(getattr(imported, part), split)
        assert json.loads((target / part / "meta.json").read_text())["sha256"] == split.sha256
    assert sorted(path.name for path in tmp_path.iterdir()) == ["imported", "source"]


@pytest.mark.parametrize("name", ["cifar-fs", "fc100"])
@pytest.mark.parametrize("unpacked", [False, True])
def test_cifar100_is_split_by_the_class_lists(name, unpacked, tmp_path):
    contents = data_files.cifar100_files()
    source = tmp_path / "cifar-100-python.tar.gz"
    if unpacked:
        source = tmp_path
        (tmp_path / "cifar-100-python").mkdir()
        for file, content in contents.items():
            path = tmp_path / "cifar-100-python" / file
            path.write_bytes(data_files.python2_pickle(content))
    else:
        data_files.write_cifar100(source, contents)
    data = skd.datasets.load(name, source)
    names = contents["meta"]["fine_label_names"]
    labels = np.concatenate([contents[half]["fine_labels"] for half in ("train", "test")])
    planes = np.concatenate([contents[half]["data"] for half in ("train", "test")])
    images = planes.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    for part in ("train", "val", "test"):
        split = getattr(data, part)
        assert set(split.class_names) == class_list(name, part)
        rows = [row for row, label in enumerate(labels) if names[label] in class_list(name, part)]
        np.testing.assert_array_equal(split.images, images[rows])
        np.testing.assert_array_equal(split.original_labels[split.labels], labels[rows])
    target = skd.datasets.import_data(source, name=name, to=tmp_path / "imported")
    assert_same_split(skd.datasets.load(name, target).val, data.val)


@pytest.mark.parametrize(("name", "counts"), [("cifar-fs", (64, 16, 20)), ("fc100", (60, 20, 20))])
def test_class_lists_divide_the_hundred_classes(name, counts):
    lists = [class_list(name, part) for part in ("train", "val", "test")]
    assert tuple(map(len, lists)) == counts
    assert frozenset.union(*lists) == ALL_CLASSES
    assert len(ALL_CLASSES) == 100
    for members in SUPERCLASSES.values():
        if name == "fc100":
            assert sum(set(members.split()) <= chosen for chosen in lists) == 1


def test_the_layout_is_found_in_the_folder_that_others_name(tmp_path):
    (tmp_path / "CIFAR-FS").mkdir()
    data_files.write_pickles(tmp_path / "CIFAR-FS", data_files.make_parts(32))
    assert len(skd.datasets.load("cifar-fs", tmp_path).train) == 9


def test_the_default_root_is_a_folder_of_the_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = tmp_path / "source"
    source.mkdir()
    data_files.write_pickles(source, data_files.make_parts(32))
    skd.datasets.import_data("source", name="fc100")
    assert skd.datasets.load("fc100").test.num_classes == 2
    assert (tmp_path / "data" / "fc100" / "train" / "images.npy").is_file()


def test_tiered_is_turned_to_rgb_unless_bgr_is_wanted(tmp_path):
    parts = data_files.make_parts(84)
    data_files.write_tiered(tmp_path, parts)
    rgb = skd.datasets.load("tiered-imagenet", tmp_path)
    bgr = skd.datasets.load("tiered-imagenet", tmp_path, bgr=True)
    np.testing.assert_array_equal(rgb.val.images, parts["val"][0])
    np.testing.assert_array_equal(bgr.val.images, parts["val"][0][..., ::-1])
    assert rgb.val.mean == bgr.val.mean
    kept = skd.datasets.import_data(tmp_path, name="tiered-imagenet", to=tmp_path / "bgr", bgr=True)
    np.testing.assert_array_equal(
        skd.datasets.load("tiered-imagenet", kept).val.images, rgb.val.images
    )
    assert_same_split(skd.datasets.load("tiered-imagenet", kept, bgr=True).val, bgr.val)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda coded: [], "holds no list of PNG files"),
        (lambda coded: {"images": coded}, "holds no list of PNG files"),
        (lambda coded: [*coded[:-1], "text"], "image 5 is not the bytes of a PNG file"),
        (lambda coded: [*coded[:-1], np.zeros((84, 84, 3), np.uint8)], "image 5 is not the bytes"),
        (lambda coded: [*coded[:-1], coded[0][:200]], "image 5 cannot be read"),
        (lambda coded: [*coded[:-1], np.frombuffer(b"<html>", np.uint8)], "image 5 cannot be read"),
        (
            lambda coded: [*coded[:-1], data_files.png_file(np.zeros((8, 9, 3), np.uint8))],
            "image 5 cannot be read: 9 x 8 pixels, not 84 x 84",
        ),
        (lambda coded: coded[:-1], "6 labels do not match the 5 images of 'test_images_png.pkl'"),
    ],
)
def test_damaged_png_files_of_tiered_are_refused_by_their_number(tmp_path, change, reason):
    data_files.write_tiered_pngs(tmp_path, data_files.make_parts(84))
    path = tmp_path / "test_images_png.pkl"
    path.write_bytes(pickle.dumps(change(pickle.loads(path.read_bytes()))))
    with pytest.raises(skd.datasets.DataError, match=reason):
        skd.datasets.load("tiered-imagenet", tmp_path)


def test_png_files_of_tiered_lack_a_part_by_name(tmp_path):
    data_files.write_tiered_pngs(tmp_path, data_files.make_parts(84))
    (tmp_path / "test_images_png.pkl").unlink()
    with pytest.raises(skd.datasets.DataError, match="pickles of PNG files lack test"):
        skd.datasets.load("tiered-imagenet", tmp_path)


def test_tiered_classes_take_their_names_from_the_labels_file(tmp_path):
    data_files.write_tiered(tmp_path, data_files.make_parts(84))
    content = {"labels": [2, 0] * 3, "label_specific_str": ["ant", "bee", "cat"]}
    (tmp_path / "val_labels.pkl").write_bytes(data_files.python2_pickle(content))
    assert skd.datasets.load("tiered-imagenet", tmp_path).val.class_names == ("ant", "cat")


def test_parts_may_each_count_their_classes_from_zero(tmp_path):
    parts = {
        part: (images, np.unique(labels, return_inverse=True)[1])
        for part, (images, labels) in data_files.make_parts(84).items()
    }
    data_files.write_tiered(tmp_path, parts)
    target = skd.datasets.import_data(tmp_path, name="tiered-imagenet", to=tmp_path / "to")
    data = skd.datasets.load("tiered-imagenet", target)
    assert (data.train.class_names, data.val.class_names) == (("0", "1", "2"), ("0", "1"))
    assert data.trainval.num_classes == 5


def test_other_images_of_the_training_classes_keep_their_labels(tmp_path):
    parts = data_files.make_parts(84)
    data_files.write_mini_pickles(tmp_path, parts)
    images, labels = parts["train"]
    content = {"data": images[::-1].copy(), "labels": labels[::-1].tolist()}
    for part in ("val", "test"):
        path = tmp_path / f"miniImageNet_category_split_train_phase_{part}.pickle"
        path.write_bytes(data_files.python2_pickle(content))
    data = skd.datasets.load("mini-imagenet", tmp_path)
    np.testing.assert_array_equal(data.train_phase_val.labels, data.train.labels[::-1])
    target = skd.datasets.import_data(tmp_path, name="mini-imagenet", to=tmp_path / "imported")
    imported = skd.datasets.load("mini-imagenet", target)
    assert_same_split(imported.train_phase_test, data.train_phase_test)


def test_trainval_holds_the_classes_of_both(tmp_path):
    parts = data_files.make_parts(32)
    data_files.write_pickles(tmp_path, parts)
    data = skd.datasets.load("cifar-fs", tmp_path)
    both = data.trainval
    np.testing.assert_array_equal(
        both.images, np.concatenate([parts[p][0] for p in ("train", "val")])
    )
    original = np.concatenate([parts["train"][1], parts["val"][1]])
    np.testing.assert_array_equal(both.original_labels[both.labels], original)
    assert both.class_names == data.train.class_names + data.val.class_names
    assert both is data.trainval


def test_published_normalisation_is_that_of_the_recipes(tmp_path):
    data_files.write_pickles(tmp_path, data_files.make_parts(32))
    assert skd.datasets.load("fc100", tmp_path).test.mean == (0.5071, 0.4867, 0.4408)
    (tmp_path / "mini").mkdir()
    data_files.write_caches(tmp_path / "mini", data_files.make_parts(84))
    mini = skd.datasets.load("mini-imagenet", tmp_path / "mini")
    np.testing.assert_allclose(
        np.array(mini.train.std) * 255, (70.68188272, 68.27635443, 72.54505529)
    )


def test_images_that_are_mapped_are_never_copied(tmp_path):
    data_files.write_numpy_files(tmp_path, data_files.make_parts(84))
    split = skd.datasets.load("mini-imagenet", tmp_path).train
    assert not split.images.flags.owndata
    assert not split.images.flags.writeable
    again = skd.datasets.from_arrays(split.images, split.labels)
    assert np.shares_memory(again.images, split.images)
    assert again.sha256 == split.sha256


def test_a_model_trains_and_evaluates_on_mapped_images(tmp_path, make_model):
    parts = data_files.make_parts(32)
    data_files.write_numpy_files(tmp_path, parts)
    data = skd.datasets.load("cifar-fs", tmp_path)
    in_memory = skd.datasets.from_arrays(*parts["train"], mean=data.train.mean, std=data.train.std)
    states = []
    for split in (data.train, in_memory):
        model = make_model("convnet4", image_size=32, seed=1)
        skd.Supervised(model).fit(split, epochs=1, batch_size=4)
        states.append(model.embed(data.val.images))
        skd.evaluate(model, data.val, n_way=2, n_query=1, n_episodes=2)
    np.testing.assert_array_equal(*states)


def test_generated_python2_pickles_are_what_python_reads():
    content = {"data": np.arange(300, dtype=np.uint8), "labels": [1, 300, -2], "n": "x" * 300}
    read = pickle.loads(data_files.python2_pickle(content), encoding="latin1")
    np.testing.assert_array_equal(read.pop("data"), content.pop("data"))
    assert read == content


def test_an_interrupted_import_leaves_nothing(tmp_path, monkeypatch):
    from skd.datasets import native_form

    source = tmp_path / "source"
    source.mkdir()
    data_files.write_pickles(source, data_files.make_parts(32))
    calls = []

    def interrupt(folder):
        calls.append(folder)
        if len(calls) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(native_form, "sync_folder", interrupt)
    with pytest.raises(KeyboardInterrupt):
        skd.datasets.import_data(source, name="fc100", to=tmp_path / "to")
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_import_never_touches_a_folder_that_holds_something(tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    target.mkdir()
    data_files.write_pickles(source, data_files.make_parts(32))
    skd.datasets.import_data(source, name="fc100", to=target)
    with pytest.raises(
        ValueError, match="'to' parameter of import_data must be a new or empty folder"
    ):
        skd.datasets.import_data(source, name="fc100", to=target)


def test_import_asks_for_the_space_before_it_writes(tmp_path, monkeypatch):
    from collections import namedtuple

    usage = namedtuple("usage", "total used free")(10, 10, 1000)
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage)
    data_files.write_pickles(tmp_path, data_files.make_parts(32))
    with pytest.raises(OSError, match="1,000 free"):
        skd.datasets.import_data(tmp_path, name="fc100", to=tmp_path / "to")
    assert not (tmp_path / "to").exists()
