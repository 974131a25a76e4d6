"""Splits, the embedded data and augmentation."""

import hashlib
import re

import numpy as np
import pytest

import skd


def test_labels_count_from_zero_in_ascending_order(rng):
    images = rng.integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
    split = skd.datasets.from_arrays(images, [40, -3, 7, 40], class_names=["a", "b", "c"])
    np.testing.assert_array_equal(split.labels, [2, 0, 1, 2])
    np.testing.assert_array_equal(split.original_labels, [-3, 7, 40])
    assert split.class_names == ("a", "b", "c")
    assert (len(split), split.num_classes, split.smallest_class) == (4, 3, 1)


@pytest.mark.parametrize("kind", [list, np.array, lambda names: np.array(names, dtype=object)])
def test_labels_of_text_are_classes(rng, kind):
    images = rng.integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
    split = skd.datasets.from_arrays(images, kind(["owl", "cat", "owl", "Äpfel"]))
    assert split.class_names == ("cat", "owl", "Äpfel")
    np.testing.assert_array_equal(split.labels, [1, 0, 1, 2])
    np.testing.assert_array_equal(split.original_labels, [0, 1, 2])
    named = skd.datasets.from_arrays(images, ["b", "a", "b", "a"], class_names=["A", "B"])
    assert named.class_names == ("A", "B")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a", "b", None, "a"], "integers or text, one for each image; got text and NoneType"),
        (["a", 1, "b", 2.5], "got text and float, int"),
        (["a", "b"], "of length 4, one for each of 'images'; got 2"),
        ([None] * 4, "an array of integers; got dtype object"),
        ([[1], [2, 3]], "'labels'"),
        ([0.5, 1, 2, 3], "integers; got dtype float64"),
        ("owl", "an array of integers; got dtype <U3"),
    ],
)
def test_labels_that_are_neither_integers_nor_text_are_refused(labels, message):
    with pytest.raises((TypeError, ValueError), match=re.escape(message)):
        skd.datasets.from_arrays(np.zeros((4, 8, 8, 3), dtype=np.uint8), labels)


@pytest.mark.parametrize("call", [
    lambda labels: skd.EpisodeSampler(labels, n_way=1, n_shot=1, n_query=1),
    lambda labels: skd.losses.cross_entropy(np.zeros((4, 2)), labels),
])  # fmt: skip
def test_where_labels_must_be_integers_text_is_refused_as_such(call):
    with pytest.raises(TypeError, match=r"'labels' .* an array of integers; got dtype <U1"):
        call(np.array(list("abab")))


def test_the_hash_is_that_of_images_and_labels_alone(rng):
    images = rng.integers(0, 256, (1030, 4, 4, 1), dtype=np.uint8)
    labels = np.arange(1030) % 3
    split = skd.datasets.from_arrays(images, labels)
    same = skd.datasets.from_arrays(images.copy(), labels + 5, mean=0.5, class_names=list("abc"))
    header = b"skd split of shape (1030, 4, 4, 1)\n"
    assert same.sha256 == split.sha256
    whole = hashlib.sha256(header + images.tobytes() + labels.astype("<i8").tobytes())
    assert split.sha256 == whole.hexdigest()
    other = images.copy()
    other[-1, 0, 0, 0] ^= 1
    assert skd.datasets.from_arrays(other, labels).sha256 != split.sha256
    assert skd.datasets.from_arrays(images, labels[::-1]).sha256 != split.sha256


@pytest.mark.parametrize("name", ["images", "labels"])
def test_the_hash_follows_arrays_that_change(rng, name):
    arrays = {
        "images": rng.integers(0, 256, (30, 16, 16, 3), dtype=np.uint8),
        "labels": np.arange(30) % 5,
    }
    statistics = {"mean": (0.5,) * 3, "std": (0.5,) * 3}
    classes = {"original_labels": np.arange(5), "class_names": tuple("abcde")}
    split = skd.datasets.Split(**arrays, **classes, **statistics)
    model = skd.create_model("convnet4", num_classes=5, image_size=16, widths=(4, 4, 4, 4))

    def reported():
        return skd.evaluate(model, split, n_query=5, n_episodes=2).provenance["data"]["sha256"]

    before = reported()
    for view in (arrays[name], arrays[name][:1]):
        view[:] = view[::-1].copy() ^ 1 if name == "images" else view[::-1].copy()
        same = skd.datasets.from_arrays(arrays["images"].copy(), arrays["labels"], **statistics)
        assert split.sha256 == reported() == same.sha256
    assert split.sha256 != before


def test_measured_normalisation_is_that_of_the_pixels(rng):
    images = rng.integers(0, 256, (1500, 4, 4, 2), dtype=np.uint8)
    split = skd.datasets.from_arrays(images, np.zeros(1500, dtype=int))
    pixels = images.astype(np.float64) / 255
    np.testing.assert_allclose(split.mean, pixels.mean(axis=(0, 1, 2)), rtol=1e-6)
    np.testing.assert_allclose(split.std, pixels.std(axis=(0, 1, 2)), rtol=1e-6)


def test_constant_images_have_a_positive_deviation():
    split = skd.datasets.from_arrays(np.full((2, 4, 4, 1), 9, dtype=np.uint8), [0, 1])
    assert split.std[0] > 0


def test_glyphs_are_disjoint_and_complete():
    data = skd.datasets.load("glyphs")
    splits = (data.train, data.val, data.test)
    names = [set(split.class_names) for split in splits]
    assert sum(map(len, names)) == len(set.union(*names)) >= 160
    for split in splits:
        assert split.images.shape[1:] == (32, 32, 3)
        assert split.images.dtype == np.uint8
        assert split.smallest_class >= 40
        assert (split.mean, split.std) == (data.train.mean, data.train.std)
    scripts = [{name.split("/")[0] for name in split.class_names} for split in splits]
    assert not scripts[0] & scripts[2]


def test_augmentation_depends_on_seed_epoch_and_position_alone(rng):
    images = rng.integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)
    whole = skd.augment(images, seed=1, epoch=2)
    np.testing.assert_array_equal(skd.augment(images[:3], seed=1, epoch=2), whole[:3])
    assert not np.array_equal(skd.augment(images, seed=1, epoch=3), whole)
    assert not np.array_equal(skd.augment(images, seed=2, epoch=2), whole)


@pytest.mark.parametrize("mode", ["none", "crop_flip", "full"])
def test_augment_is_the_replay_of_its_choices(rng, mode):
    images = rng.integers(0, 256, (20, 8, 8, 3), dtype=np.uint8)
    options = {"seed": 3, "epoch": 1, "mode": mode, "padding": 2}
    choices = skd.draw_augmentation(len(images), **options)
    replayed = skd.apply_augmentation(images, choices, padding=2)
    augmented = skd.augment(images, **options)
    np.testing.assert_allclose(augmented, replayed.astype(np.float32) / 255, rtol=1e-6)


def test_drawn_choices_cover_their_ranges():
    choices = skd.draw_augmentation(2000, seed=0, padding=3)
    assert set(choices["top"]) == set(choices["left"]) == set(range(7))
    assert set(choices["flip"]) == {0, 1}
    assert len({tuple(order) for order in choices["operations"]}) == 6
    assert 0.6 <= choices["factors"].min() < 0.61
    assert 1.39 < choices["factors"].max() <= 1.4
    assert not skd.draw_augmentation(100, seed=0, flip=False)["flip"].any()


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_images_of_other_channel_counts_are_cropped_and_flipped(rng, channels):
    images = rng.integers(0, 256, (3, 8, 8, channels), dtype=np.uint8)
    augmented = skd.augment(images, seed=0, mode="crop_flip", padding=0, flip=False)
    np.testing.assert_allclose(augmented, images.astype(np.float32) / 255, rtol=1e-6)
