"""Few images of every data set, in the files that are published, for recipes to run on."""

import data_files
import numpy as np

SIDES = {"mini-imagenet": 84, "tiered-imagenet": 84, "cifar-fs": 32, "fc100": 32}
WRITERS = {
    "mini-imagenet": data_files.write_mini_pickles,
    "tiered-imagenet": data_files.write_tiered,
    "cifar-fs": data_files.write_pickles,
    "fc100": lambda folder, parts: data_files.write_pickles(folder, parts, "FC100_"),
}
#: Two steps of a small network: eight images in batches of four.
TWO_STEPS = (
    "schedule.epochs=1",
    "schedule.warmup_epochs=0",
    "schedule.batch_size=4",
    "schedule.val_every=1",
)
SMALL = (
    "model.widths=[8, 16, 24, 32]",
    "evaluation.n_episodes=2",
    "evaluation.n_query=2",
    "evaluation.n_shots=[1]",
    "evaluation.n_support_copies=1",
)
FEW_GLYPHS = ("data.num_classes=2", "data.images_per_class=4")


def write(name, folder):
    """Write the files of a published data set: eight images to train on."""
    rng = np.random.default_rng(1)
    side, parts = SIDES[name], {}
    for part, classes, per_class in (("train", 2, 4), ("val", 2, 3), ("test", 5, 3)):
        labels = np.repeat(np.arange(classes) + 10, per_class)
        images = rng.integers(0, 256, (len(labels), side, side, 3), dtype=np.uint8)
        parts[part] = (images, labels)
    folder.mkdir(parents=True)
    WRITERS[name](folder, parts)


def changes(recipe, root=None):
    """Return what makes a recipe run for two steps, and its teachers too."""
    words = [*SMALL, *TWO_STEPS]
    words += FEW_GLYPHS if recipe.data.name == "glyphs" else (f"data.root={root}",)
    if recipe.teacher is not None:
        words += [f"teacher.{word}" for word in TWO_STEPS]
    return words
