"""Published data sets: names, sizes, normalisation and names of their files."""

from __future__ import annotations

from typing import Literal, NamedTuple

from skd.choices import DataName, PublishedData

#: The three parts of a data set, and further parts of some layouts: other images of the training
#: classes.
REQUIRED = ("train", "val", "test")
OPTIONAL = ("train_phase_val", "train_phase_test")

CIFAR_MEAN, CIFAR_STD = (0.5071, 0.4867, 0.4408), (0.2675, 0.2565, 0.2761)
# Published for pixels in 0..255.
IMAGENET_MEAN = tuple(value / 255 for value in (120.39586422, 115.59361427, 104.54012653))
IMAGENET_STD = tuple(value / 255 for value in (70.68188272, 68.27635443, 72.54505529))


class Published(NamedTuple):
    """A published data set.

    Attributes
    ----------
    name : str
        Name for `load`.
    side : int
        Side of its images, in pixels.
    mean, std : tuple of float
        The published normalisation.
    folders : tuple of str
        Common names of the folder of its files.
    prefixes : tuple of str
        Prefixes of the names of its pickles.
    source : str
        Files to download, and their page.
    downloaded : str
        What is imported afterwards: the file or the folder.
    """

    name: PublishedData
    side: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    folders: tuple[str, ...]
    prefixes: tuple[str, ...]
    source: str
    downloaded: str

    @property
    def advice(self) -> str:
        """Sentences that say where to get the files and how to import them."""
        return (
            f"Download {self.source}, then run: skd data import {self.downloaded} --as {self.name}"
        )


CIFAR_100 = "cifar-100-python.tar.gz"
CIFAR_SOURCE = f"{CIFAR_100} from https://www.cs.toronto.edu/~kriz/cifar.html"
IMAGENET_SOURCE = (
    "its files (links in the README of https://github.com/renmengye/few-shot-ssl-public)"
)

# In the order of the columns of the paper's tables, in which recipes are listed, too.
CATALOGUE: dict[PublishedData, Published] = {
    published.name: published
    for published in (
        Published(
            "mini-imagenet",
            84,
            IMAGENET_MEAN,
            IMAGENET_STD,
            ("miniImageNet", "mini-imagenet"),
            ("miniImageNet_category_split_",),
            IMAGENET_SOURCE,
            "FOLDER",
        ),
        Published(
            "tiered-imagenet",
            84,
            IMAGENET_MEAN,
            IMAGENET_STD,
            ("tieredImageNet", "tiered-imagenet"),
            ("",),
            IMAGENET_SOURCE,
            "FOLDER",
        ),
        Published(
            "cifar-fs",
            32,
            CIFAR_MEAN,
            CIFAR_STD,
            ("CIFAR-FS", "cifar-fs"),
            ("", "CIFAR_FS_"),
            CIFAR_SOURCE,
            CIFAR_100,
        ),
        Published(
            "fc100",
            32,
            CIFAR_MEAN,
            CIFAR_STD,
            ("FC100", "fc100"),
            ("", "FC100_"),
            CIFAR_SOURCE,
            CIFAR_100,
        ),
    )
}

EMBEDDED: Literal["glyphs"] = "glyphs"
PUBLISHED = tuple(CATALOGUE)
NAMES: tuple[DataName, ...] = (EMBEDDED, *PUBLISHED)  # names that `load` takes
#: Name of a folder of pictures in recipes and on the command line.
OWN_PICTURES: Literal["folder"] = "folder"
