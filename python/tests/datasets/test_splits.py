"""Splits: positions, iteration, subsets and representations."""

import base64
import re
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

import skd


@pytest.fixture
def split(rng):
    """Return a split of six classes, with 4 to 9 images in mixed order."""
    labels = rng.permutation(np.repeat(np.arange(6), np.arange(4, 10)))
    images = rng.integers(0, 256, (len(labels), 8, 8, 3), dtype=np.uint8)
    names = ["a", "b", "c", "<d>", "e", "f"]
    return skd.datasets.from_arrays(images, labels * 10, class_names=names)


def test_a_position_gives_image_and_label(split):
    for position in (0, 5, np.int64(7), -1):
        image, label = split[position]
        np.testing.assert_array_equal(image, split.images[position])
        assert type(label) is int
        assert label == split.labels[position]


def test_a_slice_gives_arrays(split):
    images, labels = split[3:9:2]
    np.testing.assert_array_equal(images, split.images[3:9:2])
    np.testing.assert_array_equal(labels, split.labels[3:9:2])


def test_iteration_gives_all_pairs_in_order(split):
    pairs = list(split)
    assert len(pairs) == len(split)
    np.testing.assert_array_equal([label for _, label in pairs], split.labels)
    np.testing.assert_array_equal([image for image, _ in pairs], split.images)


@pytest.mark.parametrize("position", [39, -40, 2**70])
def test_positions_outside_are_refused(split, position):
    with pytest.raises(IndexError, match=f"of 39 images has no position {position}"):
        split[position]


@pytest.mark.parametrize("index", ["0", 1.0, None, (0, 1), [0]])
def test_other_indices_are_refused(split, index):
    with pytest.raises(TypeError, match="'index' parameter of Split must be an integer or a slice"):
        split[index]


def test_a_subset_has_the_images_of_its_classes_in_order(split):
    subset = split.subset(n_classes=3, per_class=4, seed=1)
    assert (subset.num_classes, len(subset)) == (3, 12)
    assert np.bincount(subset.labels).tolist() == [4, 4, 4]
    assert (subset.mean, subset.std) == (split.mean, split.std)
    places = [split.class_names.index(name) for name in subset.class_names]
    assert places == sorted(places)
    np.testing.assert_array_equal(subset.original_labels, split.original_labels[places])
    rows = [np.flatnonzero((split.images == image).all(axis=(1, 2, 3)))[0] for image, _ in subset]
    assert rows == sorted(set(rows))
    assert [places[label] for label in subset.labels] == split.labels[rows].tolist()


def test_a_subset_shares_no_memory(split):
    subset = split.subset(per_class=2)
    assert not np.may_share_memory(subset.images, split.images)
    assert not subset.images.flags.writeable


def test_a_subset_of_everything_is_equal(split):
    assert split.subset().sha256 == split.sha256


def test_the_seed_decides_the_subset(split):
    chosen = {split.subset(n_classes=2, seed=seed).class_names for seed in range(8)}
    assert len(chosen) > 2
    assert split.subset(per_class=2).sha256 == split.subset(per_class=2, seed=0).sha256
    assert split.subset(per_class=2).sha256 != split.subset(per_class=2, seed=2**64 - 1).sha256


def test_smaller_subsets_are_parts_of_larger_ones(split):
    def content(**options):
        return {image.tobytes() for image, _ in split.subset(**options)}

    assert content(per_class=2) < content(per_class=3)
    assert content(n_classes=2) < content(n_classes=3)
    assert content(n_classes=2, per_class=2) < content(per_class=2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_classes": 7}, "'n_classes' parameter of Split.subset must be at most .* 6; got 7"),
        ({"n_classes": 0}, "'n_classes' .* at least 1; got 0"),
        ({"per_class": 5}, "'per_class' .* at most 4, the images of class 'a'; got 5"),
        ({"per_class": 0}, "'per_class' .* at least 1"),
        ({"seed": -1}, "'seed' parameter of Split.subset"),
    ],
)
def test_subsets_that_do_not_exist_are_refused(split, options, message):
    with pytest.raises(ValueError, match=message):
        split.subset(**options)


def test_a_split_tells_its_size(split):
    expected = "Split(6 classes, 39 images of 8 x 8 pixels and 3 channels, 4 to 9 per class)"
    assert repr(split) == expected
    grey = skd.datasets.from_arrays(np.zeros((2, 4, 4, 1), np.uint8), [0, 1])
    assert repr(grey) == "Split(2 classes, 2 images of 4 x 4 pixels and 1 channel, 1 per class)"


def pictures(html):
    """Return the arrays of the pictures in HTML."""
    found = re.findall(r'src="data:image/png;base64,([^"]+)"', html)
    return [np.asarray(Image.open(BytesIO(base64.b64decode(data)))) for data in found]


def test_a_notebook_shows_the_first_images_of_each_class(split):
    html = split._repr_html_()
    assert "6 classes, 39 images" in html
    assert "&lt;d&gt;" in html
    assert "<d>" not in html
    shown = pictures(html)
    assert len(shown) == 6
    members = np.flatnonzero(split.labels == 1)
    assert shown[1].shape == (8, 5 * 10 - 2, 3)
    for place, member in enumerate(members):
        np.testing.assert_array_equal(shown[1][:, place * 10 :][:, :8], split.images[member])


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_large_images_are_shown_as_means_of_blocks(rng, channels):
    images = rng.integers(0, 256, (2, 98, 98, channels), dtype=np.uint8)
    split = skd.datasets.from_arrays(images, [0, 1])
    shown = pictures(split._repr_html_())[0].reshape(32, 32, channels)
    blocks = images[0, :96, :96].reshape(32, 3, 32, 3, channels)
    np.testing.assert_array_equal(shown, np.rint(blocks.mean(axis=(1, 3))))


def test_many_classes_are_shown_at_equal_distances():
    train = skd.datasets.load("glyphs").train
    html = train._repr_html_()
    assert len(pictures(html)) == 8
    assert all(f">{name}<" in html for name in train.class_names[:: train.num_classes // 8][:1])


def test_the_data_are_a_table_of_their_splits():
    data = skd.datasets.load("glyphs")
    title, header, *rows = repr(data).splitlines()
    assert title == "FewShotData of 32 x 32 pixels and 3 channels"
    assert header.split() == ["split", "classes", "images", "per", "class"]
    assert [row.split()[0] for row in rows] == ["train", "val", "test"]
    assert rows[2].split() == ["test", "76", "3040", "40"]
    html = data._repr_html_()
    assert html.count("<table>") == 4
    assert len(pictures(html)) == 24
