"""Resizing in `augment`, compared with Pillow's own."""

import numpy as np
import pytest
from PIL import Image

import skd


@pytest.mark.parametrize("side", [1, 7, 16, 24, 31, 32, 48])
@pytest.mark.parametrize("channels", [1, 3])
def test_resizing_is_pillows_to_the_bit(rng, side, channels):
    images = rng.integers(0, 256, (3, 32, 32, channels), dtype=np.uint8)
    resized = skd.augment(images, seed=0, mode="none", size=side)
    for image, result in zip(images, resized, strict=True):
        picture = Image.fromarray(image[..., 0] if channels == 1 else image)
        expected = np.asarray(picture.resize((side, side), Image.Resampling.BILINEAR))
        np.testing.assert_array_equal(
            np.rint(result * 255).reshape(expected.shape).astype(np.uint8), expected
        )


def test_the_choices_of_an_image_do_not_depend_on_the_size_of_the_result(rng):
    images = rng.integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)
    own = skd.augment(images, seed=4, epoch=2, size=16)
    np.testing.assert_array_equal(own, skd.augment(images, seed=4, epoch=2))
    assert skd.augment(images, seed=4, epoch=2, size=12).shape == (2, 12, 12, 3)


@pytest.mark.parametrize("size", [0, -1, 2**16 + 1, 2**40])
def test_a_size_that_no_image_has_is_refused(size):
    with pytest.raises(ValueError, match="The 'size' parameter of augment must be"):
        skd.augment(np.zeros((1, 4, 4, 3), np.uint8), seed=0, size=size)
