"""Images of Pillow, single arrays, and arrays whose channels come first."""

import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import skd

METHODS = ("embed", "logits", "rotation_logits", "stage_outputs", "transform")


@pytest.fixture
def model(make_model):
    model = make_model()
    model.normalization = (0.5, 0.25)
    return model


@pytest.fixture
def pixels(rng):
    return rng.integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)


def assert_same(one, other):
    one, other = (value if isinstance(value, tuple) else (value,) for value in (one, other))
    for first, second in zip(one, other, strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("method", METHODS)
def test_one_image_is_a_batch_of_one(model, pixels, method):
    evaluate = getattr(model, method)
    assert_same(evaluate(pixels[0]), evaluate(pixels[:1]))
    floats = ((pixels / 255 - 0.5) / 0.25).astype(np.float32)
    assert_same(evaluate(floats[0]), evaluate(floats[:1]))


@pytest.mark.parametrize("method", METHODS)
def test_images_of_pillow_are_taken(model, pixels, method):
    evaluate = getattr(model, method)
    pictures = [Image.fromarray(image) for image in pixels]
    assert_same(evaluate(pictures), evaluate(pixels))
    assert_same(evaluate(tuple(pictures)), evaluate(pixels))
    assert_same(evaluate(pictures[1]), evaluate(pixels[1:2]))


def test_features_take_them_too(model, pixels):
    for kind in ("embedding", "logits"):
        expected = model.features(pixels[:1], kind)
        assert_same(model.features(Image.fromarray(pixels[0]), kind), expected)


def test_grey_images_need_no_channel_axis(make_model, rng):
    model = make_model("convnet4", widths=(4, 4, 4, 4), input_channels=1)
    model.normalization = (0.5, 0.25)
    image = rng.integers(0, 256, (16, 16), dtype=np.uint8)
    expected = model.embed(image[None, :, :, None])
    assert_same(model.embed(image), expected)
    assert_same(model.embed(image[:, :, None]), expected)
    assert_same(model.embed(Image.fromarray(image)), expected)


def test_pictures_are_converted_like_files(model, tmp_path, rng):
    photo = Image.fromarray(rng.integers(0, 256, (40, 60, 4), dtype=np.uint8))
    photo.save(tmp_path / "photo.png")
    examples = rng.integers(0, 256, (4, 16, 16, 3), dtype=np.uint8)
    classifier = skd.FewShotClassifier(model).fit(examples, [0, 0, 1, 1])
    expected = classifier.predict_proba(tmp_path / "photo.png")
    assert_same(classifier.predict_proba(photo), expected)
    with Image.open(tmp_path / "photo.png") as opened:
        assert_same(classifier.predict_proba(opened), expected)
        assert opened.size == (60, 40)


def test_pictures_are_turned_upright_and_stay_as_they_are(model):
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    picture = Image.new("RGB", (16, 16))
    picture.paste((255, 255, 255), (0, 0, 16, 8))
    turned = picture.rotate(180)
    turned.info["exif"] = exif.tobytes()
    assert_same(model.embed(turned), model.embed(picture))
    assert turned.getpixel((0, 0)) == (0, 0, 0)


def test_a_classifier_takes_pictures_and_single_images(model, pixels):
    pictures = [Image.fromarray(image) for image in pixels]
    labels = ["a", "b", "c"]
    fitted = skd.FewShotClassifier(model).fit(pictures, labels)
    same = skd.FewShotClassifier(model).fit(pixels, labels)
    np.testing.assert_array_equal(fitted.head_.coef_, same.head_.coef_)
    assert fitted.predict(pictures[1]).shape == fitted.predict(pixels[1]).shape == (1,)
    assert_same(fitted.predict(pictures), same.predict(pixels))
    assert fitted.score(pictures, labels) == same.score(pixels, labels)


def test_single_images_of_another_size_are_resized_on_request(model, pixels, rng):
    large = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
    fitted = skd.FewShotClassifier(model, resize=True).fit(pixels, [0, 1, 2])
    assert_same(fitted.predict_proba(large), fitted.predict_proba(large[None]))
    fitted.resize = False
    with pytest.raises(ValueError, match=r"of shape \(n, 16, 16, 3\); got shape \(1, 32, 32, 3\)"):
        fitted.predict(large)


def test_a_damaged_picture_is_named_by_its_number(model, tmp_path):
    Image.new("RGB", (64, 64)).save(tmp_path / "whole.png")
    (tmp_path / "damaged.png").write_bytes((tmp_path / "whole.png").read_bytes()[:60])
    message = r"'images' parameter of Model\.embed must be images that can be read; .* number 1 \("
    with (
        Image.open(tmp_path / "whole.png") as whole,
        Image.open(tmp_path / "damaged.png") as damaged,
        pytest.raises(ValueError, match=message),
    ):
        model.embed([whole, damaged])


@pytest.mark.parametrize("images", [[], [None], ["photo.png"], "photo.png"])
def test_other_things_are_refused_by_name(model, images):
    with pytest.raises((TypeError, ValueError), match=r"'images' parameter of Model\.embed"):
        model.embed(images)


def test_pillow_is_not_imported_for_arrays():
    script = (
        "import sys, numpy as np, skd\n"
        "model = skd.create_model('convnet4', num_classes=2, image_size=16, widths=(4,) * 4)\n"
        "model.embed(np.zeros((16, 16, 3)))\n"
        "print('PIL' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


NCHW = re.escape("which is in NCHW order (np.moveaxis(images, -3, -1) gives NHWC)")
CHW = re.escape("which is in CHW order (np.moveaxis(images, -3, -1) gives HWC)")


def test_channels_first_is_named_as_such(model, pixels):
    first = np.moveaxis(pixels, -1, 1)
    for call in (
        model.embed,
        model.logits,
        lambda images: skd.Supervised(model).step(images, [0, 1, 2]),
        lambda images: skd.datasets.from_arrays(images, [0, 1, 2]),
        lambda images: skd.augment(images, seed=0),
        lambda images: skd.FewShotClassifier(model).fit(images, [0, 1, 2]),
    ):
        with pytest.raises(ValueError, match=NCHW):
            call(first)
        assert call(np.moveaxis(first, -3, -1)) is not None
    with pytest.raises(ValueError, match=CHW):
        model.embed(first[0])


@pytest.mark.parametrize("shape", [(3, 8, 8, 3), (3, 5, 16, 16), (2, 3, 16, 8), (16, 16)])
def test_other_shapes_are_not_called_channels_first(model, shape):
    with pytest.raises(ValueError, match="'images'") as caught:
        model.embed(np.zeros(shape))
    assert "order" not in str(caught.value)
