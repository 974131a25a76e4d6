"""Folders of pictures with a folder for each class."""

import numpy as np
from PIL import Image

SIZE = 12


def write_classes(folder, num_classes=10, per_class=3, size=(SIZE, SIZE)):
    """Write pictures of one colour for each class."""
    for label in range(num_classes):
        (folder / f"class{label:02d}").mkdir(parents=True)
        for number in range(per_class):
            image = Image.new("RGB", size, (20 * label, 10, number))
            image.save(folder / f"class{label:02d}" / f"{number}.png")
    return folder


def write_photos(folder, rng, num_classes=25, per_class=20):
    """Write photos of one colour and some noise for each class."""
    for label in range(num_classes):
        target = folder / f"class{label:02d}"
        target.mkdir(parents=True)
        colour = np.array([label * 10, 250 - label * 10, label * 37 % 250])
        for number in range(per_class):
            pixels = np.clip(colour + rng.integers(-20, 21, (20, 24, 3)), 0, 255)
            Image.fromarray(pixels.astype(np.uint8)).save(target / f"{number}.png")
