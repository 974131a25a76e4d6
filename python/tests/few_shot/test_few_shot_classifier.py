"""Images are classified from a few examples, given as arrays, files or folders."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from bad_input import assert_refused
from PIL import Image
from safetensors.numpy import load_file, save_file

import skd

DOCUMENT = Path(__file__).parents[3] / "docs" / "how-to" / "classify-your-photo.md"
HEADS = (
    "logistic",
    "nearest_centroid",
    "nearest_centroid_cosine",
    "nearest_neighbor",
    "nearest_neighbor_cosine",
    "ridge",
    "linear_svc",
)
COLOURS = {"blue": (40, 60, 210), "green": (50, 200, 40), "red": (220, 30, 40)}
NORMALIZATION = ((0.5,) * 3, (0.25,) * 3)


@pytest.fixture
def model(make_model):
    made = make_model("convnet4")
    made.normalization = NORMALIZATION
    return made


def coloured(rng, name, size=(16, 16)):
    """Return a picture of a colour with some noise."""
    noise = rng.integers(-20, 21, (size[1], size[0], 3))
    return np.clip(np.array(COLOURS[name]) + noise, 0, 255).astype(np.uint8)


@pytest.fixture
def examples(rng):
    """Return five pictures of each colour and their names."""
    labels = np.repeat(list(COLOURS), 5)
    return np.stack([coloured(rng, name) for name in labels]), labels


@pytest.fixture
def folder(rng, tmp_path):
    """Return a folder that holds a folder of pictures of many kinds for each colour."""
    root = tmp_path / "support"
    for name in COLOURS:
        (root / name).mkdir(parents=True)
        for i, (suffix, size) in enumerate(
            [(".png", (20, 30)), (".jpg", (64, 16)), (".bmp", (16, 16)), (".JPG", (90, 70))]
        ):
            Image.fromarray(coloured(rng, name, size)).save(root / name / f"{i}{suffix}")
    (root / "notes.txt").write_text("not a picture")
    return root


@pytest.mark.parametrize("head", HEADS)
def test_every_head_classifies_and_is_saved(model, examples, head, tmp_path, rng):
    images, labels = examples
    classifier = skd.FewShotClassifier(model, head=head).fit(images, labels)
    assert classifier.classes_.tolist() == sorted(COLOURS)
    assert classifier.score(images, labels) == 1
    queries = np.stack([coloured(rng, name) for name in ("red", "blue")])
    assert classifier.predict(queries).tolist() == ["red", "blue"]

    classifier.save(tmp_path / "colours.safetensors")
    loaded = skd.FewShotClassifier.load(tmp_path / "colours.safetensors")
    assert loaded.get_params() | {"model": model} == classifier.get_params()
    assert loaded.classes_.tolist() == classifier.classes_.tolist()
    np.testing.assert_array_equal(loaded.predict(images), classifier.predict(images))
    if hasattr(classifier, "predict_proba"):
        probabilities = classifier.predict_proba(images)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1)
        winners = classifier.classes_[probabilities.argmax(axis=1)]
        np.testing.assert_array_equal(winners, classifier.predict(images))
        np.testing.assert_array_equal(loaded.predict_proba(images), probabilities)


def test_heads_without_probabilities_have_no_such_method(model):
    with_them = [head for head in HEADS if hasattr(skd.FewShotClassifier(model, head=head), NAME)]
    assert with_them == [head for head in HEADS if not head.startswith("nearest_neighbor")]
    with pytest.raises(AttributeError, match="got 'nearest_neighbor'"):
        skd.FewShotClassifier(model, head="nearest_neighbor").predict_proba([])


NAME = "predict_proba"


def test_it_is_what_evaluate_fits(model, examples):
    """Without augmentation, the head is the estimator on the normalised features."""
    images, labels = examples
    classifier = skd.FewShotClassifier(model, support_augmentation="none").fit(images, labels)
    features = skd.l2_normalize(model.embed(images))
    estimator = skd.LogisticRegression().fit(features, labels)
    np.testing.assert_array_equal(classifier.head_.coef_, estimator.coef_)
    logits = skd.FewShotClassifier(model, features="logits", head="nearest_neighbor")
    assert logits.fit(images, labels).head_.n_features_in_ == model.num_classes


def test_augmentation_is_seeded_and_used(model, examples):
    def coefficients(**options):
        return skd.FewShotClassifier(model, **options).fit(*examples).head_.coef_

    first = coefficients()
    np.testing.assert_array_equal(first, coefficients())
    for other in ({"seed": 1}, {"n_support_copies": 2}, {"support_augmentation": "full"}):
        assert not np.array_equal(first, coefficients(**other)), other


def test_folders_files_and_arrays_agree(model, folder):
    options = {"support_augmentation": "none", "head": "nearest_centroid"}
    from_folder = skd.FewShotClassifier(model, **options).fit(folder)
    files = sorted(folder.glob("*/*.*"))
    labels = [file.parent.name for file in files]
    from_files = skd.FewShotClassifier(model, **options).fit([str(file) for file in files], labels)
    np.testing.assert_array_equal(from_folder.head_.centroids_, from_files.head_.centroids_)
    assert from_folder.score(folder) == from_folder.score(files, labels) == 1
    assert from_folder.predict(folder / "red").tolist() == ["red"] * 4
    assert from_folder.predict(folder / "blue" / "0.png").tolist() == ["blue"]
    pixels = np.asarray(Image.open(folder / "green" / "2.bmp"))[None]
    np.testing.assert_array_equal(from_folder.predict(pixels), ["green"])


def test_pictures_are_turned_upright_and_cut_to_the_middle(model, tmp_path):
    """The left half of the turned picture is red; a wide margin of white is cut off."""
    pixels = np.full((16, 48, 3), 255, dtype=np.uint8)
    pixels[:, 16:24], pixels[:, 24:32] = (255, 0, 0), (0, 0, 255)
    upright = Image.fromarray(pixels)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    turned = upright.transpose(Image.Transpose.ROTATE_90)
    turned.save(tmp_path / "turned.png", exif=exif)
    from skd.few_shot.pictures import read_pictures

    (image,) = read_pictures([tmp_path / "turned.png"], 16, 3, "test")
    np.testing.assert_array_equal(image, pixels[:, 16:32])
    (grey,) = read_pictures([tmp_path / "turned.png"], 16, 1, "test")
    assert grey.shape == (16, 16, 1)
    (rgba,) = read_pictures([tmp_path / "turned.png"], 16, 4, "test")
    assert (rgba[..., 3] == 255).all()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_pictures_of_every_mode_become_rgb(mode, tmp_path):
    from skd.few_shot.pictures import read_pictures

    path = tmp_path / ("picture.jpg" if mode == "CMYK" else "picture.png")
    if mode == "I;16":
        Image.fromarray(np.full((8, 8), 0xFFFF, dtype=np.uint16)).save(path)
    else:
        Image.new("RGB", (8, 8), "white").convert(mode).save(path)
    (image,) = read_pictures([path], 4, 3, "test")
    assert (image > 250).all()


def test_arrays_of_another_size_are_scaled_only_if_asked(model, examples):
    images, labels = examples
    large = images.repeat(2, axis=1).repeat(2, axis=2)
    with pytest.raises(ValueError, match=r"'images' parameter .* got shape"):
        skd.FewShotClassifier(model).fit(large, labels)
    classifier = skd.FewShotClassifier(model, resize=True).fit(large, labels)
    assert classifier.score(images, labels) == 1


def test_floats_are_taken_as_normalised_and_not_augmented(model, examples):
    images, labels = examples
    floats = (images / np.float32(255) - 0.5) / 0.25
    plain = skd.FewShotClassifier(model, support_augmentation="none").fit(images, labels)
    classifier = skd.FewShotClassifier(model).fit(floats.astype(np.float32), labels)
    np.testing.assert_allclose(classifier.head_.coef_, plain.head_.coef_, atol=1e-4)
    np.testing.assert_array_equal(classifier.predict(floats), plain.predict(images))


def test_labels_of_any_type_survive_a_file(model, examples, tmp_path):
    images, _ = examples
    for names in (
        [3, -5, 2**40],
        ["ä", "b", "long name"],
        [1.0, 2.0, 7.0],
        np.array(["a", "b", "c"], dtype=object),
        np.array([4, 5, 6], dtype=object),
        np.array([4, 5, 250], dtype=np.uint8),
    ):
        labels = np.repeat(names, 5)
        classifier = skd.FewShotClassifier(model, head="ridge").fit(images, labels)
        classifier.save(tmp_path / "labels.safetensors")
        loaded = skd.FewShotClassifier.load(tmp_path / "labels.safetensors")
        assert loaded.predict(images).tolist() == labels.tolist()


def test_a_file_without_the_model_wants_the_very_model(model, examples, tmp_path, make_model):
    path = tmp_path / "head.safetensors"
    classifier = skd.FewShotClassifier(model).fit(*examples)
    classifier.save(path, include_model=False)
    assert path.stat().st_size < 20_000
    loaded = skd.FewShotClassifier.load(path, model=model.clone())
    np.testing.assert_array_equal(loaded.predict(examples[0]), classifier.predict(examples[0]))
    assert_refused(ValueError, "'model'", lambda: skd.FewShotClassifier.load(path))
    other = make_model("convnet4", seed=1)
    other.normalization = NORMALIZATION
    assert_refused(ValueError, "'model'", lambda: skd.FewShotClassifier.load(path, model=other))


def test_damaged_files_are_refused(model, examples, tmp_path):
    path = tmp_path / "whole.safetensors"
    skd.FewShotClassifier(model).fit(*examples).save(path)
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        metadata = json.loads(json.loads(file.read(length))["__metadata__"]["skd_few_shot"])
    arrays = load_file(path)

    def written(changed_metadata, changed_arrays):
        damaged = tmp_path / "damaged.safetensors"
        text = json.dumps({**metadata, **changed_metadata})
        merged = {k: v for k, v in {**arrays, **changed_arrays}.items() if v is not None}
        save_file(merged, damaged, metadata={"skd_few_shot": text})
        return damaged

    assert skd.FewShotClassifier.load(written({}, {})).head == "logistic"
    options = metadata["options"]
    weight = next(name for name in arrays if name.endswith(".weight"))
    coefficients = arrays["head.coef_"]
    for changes in (
        ({"version": 2}, {}),
        ({"options": {**options, "head": "svm"}}, {}),
        ({"options": {**options, "head": "ridge", "speed": 3}}, {}),
        ({"options": {**options, "n_support_copies": -1}}, {}),
        ({"options": [1]}, {}),
        ({"classes": ["red"]}, {}),
        ({"classes": [["a"], ["b"], ["c"]]}, {}),
        ({"classes": [1, 2, 2**70], "classes_dtype": "<i8"}, {}),
        ({"classes": ["red", "red", "blue"]}, {}),
        ({"classes": ["a", "b", "c", "d"]}, {}),
        ({"classes_dtype": "no dtype"}, {}),
        ({"model": {"config": {}}}, {}),
        ({}, {"head.coef_": None}),
        ({}, {"head.more": coefficients}),
        ({}, {"head.coef_": coefficients[:, 1:].copy()}),
        ({}, {"head.coef_": coefficients[1:].copy()}),
        ({}, {"head.coef_": coefficients[0].copy()}),
        ({}, {"head.coef_": coefficients.astype(np.float32)}),
        ({}, {"head.coef_": coefficients * np.nan}),
        ({}, {"head.intercept_": arrays["head.intercept_"][:, None].copy()}),
        ({}, {weight: None}),
        ({}, {weight: arrays[weight] + 1}),
    ):
        damaged = written(*changes)
        with pytest.raises(ValueError, match=r"'(path|model)' parameter of FewShotClassifier.load"):
            skd.FewShotClassifier.load(damaged)
    data = path.read_bytes()
    for cut in (0, 4, 100, len(data) - 1):
        damaged.write_bytes(data[:cut])
        assert_refused(ValueError, "'path'", lambda: skd.FewShotClassifier.load(damaged))
    model.save(damaged)
    assert_refused(ValueError, "'path'", lambda: skd.FewShotClassifier.load(damaged))


def test_wrong_arguments_are_named_and_keep_the_fit(model, examples, tmp_path):
    images, labels = examples
    classifier = skd.FewShotClassifier(model).fit(images, labels)
    before = dict(vars(classifier))
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.png").write_bytes(b"no picture")
    for error, named, call in (
        (ValueError, "'labels'", lambda: classifier.fit(images, labels[:-1])),
        (ValueError, "'labels'", lambda: classifier.fit(images, ["one"] * 15)),
        (ValueError, "'labels'", lambda: classifier.fit(images, np.arange(15) / 2)),
        (ValueError, "'images'", lambda: classifier.fit(images)),
        (ValueError, "'images'", lambda: classifier.fit(tmp_path / "empty")),
        (ValueError, "'images'", lambda: classifier.fit(tmp_path / "nowhere")),
        (ValueError, "'images'", lambda: classifier.predict(images[0, 0])),
        (ValueError, "'images'", lambda: classifier.predict(images[..., :1])),
        (ValueError, "'images'", lambda: classifier.predict(tmp_path / "empty")),
        (ValueError, "'images'", lambda: classifier.predict(tmp_path / "broken.png")),
        (TypeError, "'images'", lambda: classifier.predict(["a.png", 3])),
        (FileNotFoundError, "nowhere.png", lambda: classifier.predict(tmp_path / "nowhere.png")),
        (FileNotFoundError, "nowhere", lambda: classifier.save(tmp_path / "nowhere" / "file")),
        (ValueError, "'path'", lambda: classifier.save(tmp_path)),
        (FileNotFoundError, "nowhere", lambda: skd.FewShotClassifier.load(tmp_path / "nowhere")),
        (ValueError, "'path'", lambda: skd.FewShotClassifier.load(tmp_path / "broken.png")),
    ):
        assert_refused(error, named, call)
    assert vars(classifier) == before
    for error, name, value in (
        (TypeError, "model", "resnet12"),
        (ValueError, "head", "svm"),
        (ValueError, "features", "pixels"),
        (ValueError, "n_support_copies", 0),
        (ValueError, "support_augmentation", "jitter"),
        (TypeError, "flip", "no"),
        (TypeError, "resize", "no"),
        (ValueError, "seed", -1),
    ):
        wrong = skd.FewShotClassifier(**{"model": model, name: value})
        assert_refused(error, f"'{name}'", lambda wrong=wrong: wrong.fit(images, labels))
    assert_refused(skd.NotFittedError, "fit", lambda: skd.FewShotClassifier(model).predict(images))
    model.normalization = None
    assert_refused(ValueError, "'model'", lambda: skd.FewShotClassifier(model).fit(images, labels))


def test_the_document_runs_as_it_stands(model, folder, monkeypatch, capsys):
    (example, *_) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert len(example.splitlines()) <= 6
    monkeypatch.chdir(folder.parent)
    model.save("model.safetensors")
    (folder / "red" / "0.png").rename(folder.parent / "photo.jpg")
    exec(compile(example, str(DOCUMENT), "exec"), {})
    assert "red" in capsys.readouterr().out


def test_the_temperature_is_that_of_the_features(model, examples):
    images, labels = examples
    classifier = skd.FewShotClassifier(model, support_augmentation="none").fit(images, labels)
    features = skd.l2_normalize(model.embed(images))
    alone = skd.CalibratedClassifier().fit(features, labels)
    assert classifier.temperature_ == alone.temperature_
    np.testing.assert_array_equal(classifier.predict_proba(images), alone.predict_proba(features))
    plain = skd.FewShotClassifier(model, support_augmentation="none", calibrate=False)
    plain.fit(images, labels)
    assert plain.temperature_ == 1
    estimator = skd.LogisticRegression().fit(features, labels)
    expected = estimator.predict_proba(features)
    np.testing.assert_allclose(plain.predict_proba(images), expected, atol=1e-12)


def test_augmented_copies_are_left_out_together(model, examples):
    images, labels = examples
    copied = skd.FewShotClassifier(model, n_support_copies=3).fit(images, labels)
    assert 0 < copied.temperature_ < 10
    again = skd.FewShotClassifier(model, n_support_copies=3).fit(images, labels)
    assert copied.temperature_ == again.temperature_


@pytest.mark.parametrize("head", HEADS)
def test_images_that_are_far_from_all_classes_are_rejected(model, examples, rng, tmp_path, head):
    images, labels = examples
    classifier = skd.FewShotClassifier(model, head=head, reject="none of these", known_rate=0.9)
    classifier.fit(images, labels)
    queries = np.concatenate([images, rng.integers(0, 256, images.shape, dtype=np.uint8)])
    scores, predicted = classifier.known_scores(queries), classifier.predict(queries)
    plain = skd.FewShotClassifier(model, head=head).fit(images, labels).predict(queries)
    expected = np.where(scores < classifier.threshold_, "none of these", plain)
    assert predicted.tolist() == expected.tolist()
    centroids = skd.NearestCentroid().fit(skd.l2_normalize(model.embed(images)), labels).centroids_
    unaugmented = skd.FewShotClassifier(
        model, head=head, reject="none of these", support_augmentation="none"
    ).fit(images, labels)
    np.testing.assert_allclose(
        unaugmented.known_scores(queries),
        skd.open_set_scores(skd.l2_normalize(model.embed(queries)), centroids),
        atol=1e-12,
    )
    for loaded in saved(classifier, tmp_path):
        assert loaded.threshold_ == classifier.threshold_
        assert loaded.predict(queries).tolist() == predicted.tolist()


def saved(classifier, folder):
    """Yield the classifier as files of both kinds hold it."""
    for whole in (True, False):
        classifier.save(folder / "saved.safetensors", include_model=whole)
        model = None if whole else classifier.model
        yield skd.FewShotClassifier.load(folder / "saved.safetensors", model=model)


def test_the_answer_has_the_type_of_the_classes(model, examples):
    images, labels = examples
    numbers = np.unique(labels, return_inverse=True)[1].astype(np.uint8)
    classifier = skd.FewShotClassifier(model, reject=-1, known_rate=1e-9).fit(images, numbers)
    predicted = classifier.predict(images)
    assert predicted.dtype.kind == "i"
    assert set(predicted.tolist()) <= {-1, 0, 1, 2}
    assert classifier.predict(images[:0]).shape == (0,)


@pytest.mark.parametrize(
    ("options", "labels", "message"),
    [
        ({"reject": "red"}, None, "'reject' .* a label that no class has; got 'red'"),
        ({"reject": 3}, None, "'reject' .* text, as the labels are; got 3 for 'labels' of dtype"),
        ({"reject": "x"}, int, "'reject' .* an integer, as the labels are; got 'x'"),
        ({"reject": True}, None, "'reject' .* None, or a label"),
        ({"reject": 1.5}, None, "'reject' .* None, or a label"),
        ({"reject": "x", "known_rate": 1}, None, "'known_rate' parameter of FewShotClassifier.fit"),
        ({"calibrate": "no"}, None, "'calibrate' parameter of FewShotClassifier.fit"),
    ],
)
def test_wrong_answers_are_refused(model, examples, options, labels, message):
    images, names = examples
    if labels is int:
        names = np.unique(names, return_inverse=True)[1]
    with pytest.raises((ValueError, TypeError), match=message):
        skd.FewShotClassifier(model, **options).fit(images, names)


def test_known_scores_need_reject(model, examples):
    classifier = skd.FewShotClassifier(model).fit(*examples)
    assert classifier.threshold_ is None
    with pytest.raises(ValueError, match="a classifier that was fitted with 'reject'"):
        classifier.known_scores(examples[0])
