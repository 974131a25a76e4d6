"""Folders of pictures as desktops, network drives and archives leave them."""

import os

import numpy as np
import pytest
from picture_folders import write_classes
from PIL import Image

import skd
from skd.datasets import walks

HIDDEN = (".ipynb_checkpoints", "__MACOSX", "@eaDir", ".git", "$RECYCLE.BIN", "lost+found",
          "System Volume Information", ".Trashes", "#recycle")  # fmt: skip


def picture(path, colour=(9, 9, 9)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 4), colour).save(path, "PNG")
    return path


def divided(folder):
    for part, names in (("train", "abc"), ("val", "de"), ("test", "fg")):
        for name in names:
            picture(folder / part / name / "0.png")
    return folder


def load(folder):
    data = skd.datasets.from_folder(folder, image_size=4)
    return data, tuple(part.class_names for part in (data.train, data.val, data.test))


@pytest.mark.parametrize("name", HIDDEN)
@pytest.mark.parametrize("place", [".", "train", "train/a", "val/d"])
def test_hidden_folders_change_nothing_at_any_level(tmp_path, name, place):
    divided(tmp_path)
    picture(tmp_path / place / name / "z" / "0.png")
    picture(tmp_path / place / name / "0.png")
    data, classes = load(tmp_path)
    assert classes == (("a", "b", "c"), ("d", "e"), ("f", "g"))
    assert data.unreadable == ()
    assert len(data.train) == 3


@pytest.mark.parametrize("name", [".DS_Store", "Thumbs.db", "._0.png", "desktop.ini", "~$a.png"])
def test_hidden_files_change_nothing_at_any_level(tmp_path, name):
    divided(tmp_path)
    for place in (".", "train", "train/a"):
        (tmp_path / place / name).write_bytes(b"\0\5\x16\7")
    data, classes = load(tmp_path)
    assert classes == (("a", "b", "c"), ("d", "e"), ("f", "g"))
    assert data.unreadable == ()


def test_pictures_beside_a_division_are_refused_with_their_folder(tmp_path):
    picture(divided(tmp_path) / "holdout" / "h" / "0.png")
    with pytest.raises(skd.datasets.DataError, match="'holdout' besides train, val and test"):
        load(tmp_path)


@pytest.mark.parametrize("names", [("train", "test", "x"), ("Train", "Val", "Test"),
                                   ("train", "valid", "test")])  # fmt: skip
def test_a_division_under_other_names_is_not_taken_for_classes(tmp_path, names):
    for name in names:
        for inner in "abc":
            picture(tmp_path / name / (name + inner) / "0.png")
    with pytest.raises(skd.datasets.DataError, match=r"is split into .*under these names"):
        load(tmp_path)


def test_a_class_may_be_called_like_a_part(tmp_path):
    for name in ("train", "car", "bus"):
        picture(tmp_path / name / "0.png")
        picture(tmp_path / name / "more" / "1.png")
    data, classes = load(tmp_path)
    assert sorted(sum(classes, ())) == ["bus", "car", "train"]
    assert data.unreadable == ()


def test_what_is_left_out_is_listed_with_the_reason(tmp_path):
    write_classes(tmp_path, num_classes=4, per_class=1)
    picture(tmp_path / "stray.png")
    (tmp_path / "empty").mkdir()
    (tmp_path / "class00" / "broken.png").symlink_to("nowhere.png")
    (tmp_path / "class01" / "photo.HEIC").write_bytes(b"\0\0\0\x18ftypheic")
    os.mkfifo(tmp_path / "class02" / "pipe.png")
    data, _ = load(tmp_path)
    reasons = {line.split(": ")[0].rsplit("/")[-1]: line for line in data.unreadable}
    assert set(reasons) == {"stray.png", "empty", "broken.png", "photo.HEIC", "pipe.png"}
    assert "no such file" in reasons["broken.png"]
    assert "not a file" in reasons["pipe.png"]
    assert "without pictures" in reasons["empty"]
    assert "in no folder of a class" in reasons["stray.png"]
    assert "convert it to JPEG" in reasons["photo.HEIC"]


def test_pictures_are_known_by_name_or_content(tmp_path):
    write_classes(tmp_path, num_classes=3, per_class=1)
    for name in ("1.PNG", "2.jfif", "noname", "scraped.php", "3.tiff"):
        picture(tmp_path / "class00" / name)
    for name in ("notes.txt", "labels.csv", "video.mp4"):
        (tmp_path / "class00" / name).write_bytes(b"0000ftypmp42")
    data, _ = load(tmp_path)
    assert data.unreadable == ()
    assert sum(map(len, (data.train, data.val, data.test))) == 3 + 5


def test_links_to_folders_are_followed_once(tmp_path):
    root, elsewhere = tmp_path / "root", tmp_path / "elsewhere"
    write_classes(root, num_classes=3, per_class=1)
    picture(elsewhere / "1.png")
    (root / "class00" / "link").symlink_to(elsewhere)
    (elsewhere / "loop").symlink_to(root / "class00")
    found = walks.pictures_below(root / "class00", [])
    assert [path.name for path in found] == ["0.png", "1.png"]


def test_a_class_whose_name_is_no_text_is_read_and_listed(tmp_path):
    write_classes(tmp_path, num_classes=3, per_class=1)
    name = os.fsdecode(b"caf\xe9")
    picture(tmp_path / name / "0.png")
    (tmp_path / name / "1.png").write_bytes(b"?")
    data, classes = load(tmp_path)
    assert name in sum(classes, ())
    (listed,) = data.unreadable
    assert r"caf\udce9/1.png" in listed.encode().decode()


@pytest.mark.parametrize("name", HIDDEN[:3])
def test_a_few_shot_classifier_passes_over_hidden_files(tmp_path, make_model, name):
    write_classes(tmp_path, num_classes=2, per_class=2)
    picture(tmp_path / name / "x" / "0.png")
    picture(tmp_path / "class01" / name / "0.png")
    (tmp_path / "class00" / "._0.png").write_bytes(b"\0")
    model = make_model("convnet4", widths=(8, 8, 8, 8))
    model.normalization = (0.5, 0.25)
    classifier = skd.FewShotClassifier(model, n_support_copies=1).fit(tmp_path)
    np.testing.assert_array_equal(classifier.classes_, ["class00", "class01"])
    assert classifier.predict(tmp_path / "class00").shape == (2,)


def test_a_few_shot_classifier_names_every_picture_that_it_cannot_read(tmp_path, make_model):
    write_classes(tmp_path, num_classes=2, per_class=4)
    for name in ("1.png", "2.png"):
        (tmp_path / "class01" / name).write_bytes(b"?")
    classifier = skd.FewShotClassifier(make_model())
    with pytest.raises(ValueError, match=r"2 pictures cannot be read: .*1\.png.*2\.png"):
        classifier.fit(tmp_path)
    (tmp_path / "empty").mkdir()
    unreadable = pytest.raises(ValueError, match="2 pictures")
    with pytest.warns(UserWarning, match="empty: a folder without pictures"), unreadable:
        classifier.fit(tmp_path)


def test_an_import_names_every_picture_that_it_cannot_read(tmp_path):
    for part, names in (("train", "abc"), ("val", "de"), ("test", "fg")):
        for name in names:
            picture(tmp_path / "in" / part / name / "0.png")
            picture(tmp_path / "in" / part / name / ".ipynb_checkpoints" / "0.png")
    for name in "ac":
        (tmp_path / "in" / "train" / name / "0.png").write_bytes(b"?")
    with pytest.raises(skd.datasets.DataError, match=r"2 pictures cannot be read: .*a.0.*c.0"):
        skd.datasets.import_data(tmp_path / "in", name="cifar-fs", to=tmp_path / "to")
    assert not (tmp_path / "to").exists()
