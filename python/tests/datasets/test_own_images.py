"""Folders of picture files become class-disjoint splits."""

import re
import sys

import numpy as np
import pytest
from picture_folders import SIZE, write_classes
from PIL import Image

import skd


def first_image(tmp_path, image, name="0.png", channels=3, size=SIZE, **options):
    """Return the first image of a folder whose first file is this picture."""
    write_classes(tmp_path, num_classes=3, per_class=1)
    (tmp_path / "class00" / "0.png").unlink()
    image.save(tmp_path / "class00" / name, **options)
    data = skd.datasets.from_folder(tmp_path, image_size=size, channels=channels)
    assert data.unreadable == ()
    splits = {split.class_names[0]: split for split in (data.train, data.val, data.test)}
    return splits["class00"].images[0]


def test_classes_are_divided_by_the_shares_and_disjoint(tmp_path):
    data = skd.datasets.from_folder(write_classes(tmp_path), image_size=SIZE)
    splits = (data.train, data.val, data.test)
    assert [split.num_classes for split in splits] == [6, 2, 2]
    names = [name for split in splits for name in split.class_names]
    assert sorted(names) == [f"class{label:02d}" for label in range(10)]
    for split in splits:
        colours = [20 * int(split.class_names[label][-2:]) for label in split.labels]
        np.testing.assert_array_equal(split.images[:, 0, 0, 0], colours)
        assert (split.mean, split.std) == (data.train.mean, data.train.std)


def test_the_seed_decides_which_classes_go_where(tmp_path):
    write_classes(tmp_path)
    chosen = {
        skd.datasets.from_folder(tmp_path, image_size=4, seed=seed).test.class_names
        for seed in (0, 0, 1, 2)
    }
    assert 2 <= len(chosen) <= 3


@pytest.mark.parametrize("shares", [(0.98, 0.01, 0.01), (0.1, 0.45, 0.45), (0.01, 0.98, 0.01)])
def test_every_split_gets_a_class(tmp_path, shares):
    write_classes(tmp_path, num_classes=3, per_class=1)
    data = skd.datasets.from_folder(tmp_path, image_size=4, split=shares)
    assert [split.num_classes for split in (data.train, data.val, data.test)] == [1, 1, 1]


def test_a_folder_that_is_split_is_taken_as_it_is(tmp_path):
    for part, count in (("train", 3), ("val", 1), ("test", 2)):
        write_classes(tmp_path / part, num_classes=count)
        for path in (tmp_path / part).iterdir():
            path.rename(path.with_name(f"{part}{path.name}"))
    data = skd.datasets.from_folder(tmp_path, image_size=4)
    assert data.test.class_names == ("testclass00", "testclass01")


def test_unreadable_files_are_listed_and_left_out(tmp_path):
    write_classes(tmp_path, num_classes=4)
    (tmp_path / "class01" / "1.png").write_bytes(b"<html>")
    whole = (tmp_path / "class02" / "0.png").read_bytes()
    (tmp_path / "class02" / "0.png").write_bytes(whole[:50])
    (tmp_path / "class02" / "notes.txt").write_text("not a picture by its name")
    data = skd.datasets.from_folder(tmp_path, image_size=SIZE)
    assert len(data.unreadable) == 2
    assert any(re.search(r"class01.1\.png: an HTML page", line) for line in data.unreadable)
    assert sum(map(len, (data.train, data.val, data.test))) == 10


def test_a_class_without_readable_files_is_left_out(tmp_path):
    write_classes(tmp_path, num_classes=8, per_class=1)
    (tmp_path / "class03" / "0.png").write_bytes(b"")
    data = skd.datasets.from_folder(tmp_path, image_size=SIZE)
    splits = (data.train, data.val, data.test)
    assert "class03" not in {name for split in splits for name in split.class_names}
    assert sum(split.num_classes for split in splits) == 7


def test_pictures_are_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees clockwise
    image = Image.new("RGB", (SIZE, SIZE), (0, 0, 0))
    image.paste((255, 255, 255), (0, 0, SIZE // 2, SIZE))
    upright = first_image(tmp_path, image, "0.jpg", exif=exif)
    assert upright[: SIZE // 2].mean() > 240
    assert upright[SIZE // 2 :].mean() < 15


def test_the_middle_of_an_oblong_picture_is_taken(tmp_path):
    image = Image.new("RGB", (3 * SIZE, SIZE), (255, 0, 0))
    image.paste((0, 0, 255), (SIZE, 0, 2 * SIZE, SIZE))
    cropped = first_image(tmp_path, image)
    np.testing.assert_array_equal(cropped, np.broadcast_to([0, 0, 255], (SIZE, SIZE, 3)))


@pytest.mark.parametrize(
    ("channels", "expected"),
    [(1, [165]), (2, [76, 128]), (3, [255, 127, 127]), (4, [255, 0, 0, 128])],
)
def test_pictures_have_one_to_four_channels(tmp_path, channels, expected):
    image = Image.new("RGBA", (SIZE, SIZE), (255, 0, 0, 128))
    assert first_image(tmp_path, image, channels=channels)[0, 0].tolist() == expected


def test_sixteen_bits_become_eight(tmp_path):
    image = Image.fromarray(np.full((SIZE, SIZE), 40_000, dtype=np.uint16))
    assert first_image(tmp_path, image, channels=1)[0, 0, 0] == 40_000 >> 8


def test_palettes_become_colours(tmp_path):
    image = Image.new("RGB", (SIZE, SIZE), (0, 204, 0)).convert("P")
    assert first_image(tmp_path, image, "0.gif")[0, 0].tolist() == [0, 204, 0]


def test_pictures_of_any_size_are_scaled(tmp_path):
    image = Image.new("RGB", (301, 200), (10, 20, 30))
    assert first_image(tmp_path, image, size=17).shape == (17, 17, 3)


WRONG = {
    "no side": (TypeError, "'image_size'", {"image_size": None}),
    "a side of 0": (ValueError, "'image_size'", {"image_size": 0}),
    "five channels": (ValueError, "'channels'", {"channels": 5}),
    "two shares": (ValueError, "'split'", {"split": (0.5, 0.5)}),
    "shares of 2": (ValueError, "the sum 1", {"split": (1, 0.5, 0.5)}),
    "a share of 0": (ValueError, "'split'", {"split": (1.0, 0.0, 0.0)}),
    "a negative seed": (ValueError, "'seed'", {"seed": -1}),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_argument_is_named(case, tmp_path):
    error, message, options = WRONG[case]
    with pytest.raises(error, match=message):
        skd.datasets.from_folder(tmp_path, **{"image_size": 4, **options})


def test_two_classes_are_too_few(tmp_path):
    write_classes(tmp_path, num_classes=2)
    with pytest.raises(skd.datasets.DataError, match="holds 2 folders of pictures"):
        skd.datasets.from_folder(tmp_path, image_size=4)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        skd.datasets.from_folder(tmp_path / "nowhere", image_size=4)


def test_pictures_of_nothing_but_damage_are_refused(tmp_path):
    write_classes(tmp_path, num_classes=3, per_class=1)
    for path in tmp_path.glob("*/*.png"):
        path.write_bytes(b"?")
    with pytest.raises(skd.datasets.DataError, match=r"no picture of train can be read: .*0\.png"):
        skd.datasets.from_folder(tmp_path, image_size=4)


def write_split(folder, train=(5, 16), val=(5, 16), test=(5, 16)):
    """Write parts of (classes, pictures of each class)."""
    for part, (num_classes, per_class) in {"train": train, "val": val, "test": test}.items():
        write_classes(folder / part, num_classes, per_class)
        for path in (folder / part).iterdir():
            path.rename(path.with_name(f"{part}{path.name}"))
    return folder


def test_splits_that_are_too_small_for_the_standard_episodes_are_told(tmp_path):
    write_split(tmp_path, val=(3, 16), test=(5, 7))
    with pytest.warns(skd.SmallSplitWarning) as caught:
        data = skd.datasets.from_folder(tmp_path, image_size=SIZE)
    (warning,) = caught
    assert warning.filename == __file__
    message = str(warning.message)
    assert "'val' has 3 classes; 'test' has 7 images of class 'testclass00'" in message
    assert "at least 5 classes of 16 images" in message
    advice = re.search(r"evaluate with n_way=(\d), n_query=(\d)", message)
    n_way, n_query = map(int, advice.groups())
    model = skd.create_model("convnet4", num_classes=2, image_size=SIZE, widths=(4, 4, 4, 4))
    for split in (data.val, data.test):
        skd.evaluate(model, split, n_way=n_way, n_query=n_query, n_episodes=2)


def test_a_split_of_one_class_is_told_without_advice_that_cannot_work(tmp_path):
    write_split(tmp_path, val=(1, 16))
    with pytest.warns(skd.SmallSplitWarning, match="'val' has 1 class") as caught:
        skd.datasets.from_folder(tmp_path, image_size=SIZE)
    assert "n_way=" not in str(caught[0].message)


def test_splits_that_are_large_enough_give_no_warning(tmp_path, recwarn):
    skd.datasets.from_folder(write_split(tmp_path, train=(1, 1)), image_size=SIZE)
    assert not recwarn


def test_without_pillow_the_error_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match=r"pip install pillow"):
        skd.datasets.from_folder(tmp_path, image_size=4)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_contact_sheet_shows_ten_images_of_each_class(tmp_path, rng, channels):
    images = rng.integers(0, 256, (36, 8, 8, channels), dtype=np.uint8)
    split = skd.datasets.from_arrays(images, np.repeat(np.arange(3), 12))
    skd.datasets.save_contact_sheet(split, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        pixels = np.asarray(sheet).reshape(3 * 10 + 2, 10 * 10 + 2, channels)
    np.testing.assert_array_equal(pixels[12:20, 92:100], images[12 + 9])
