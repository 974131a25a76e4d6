"""Classes of CIFAR-100 in each part of CIFAR-FS and FC100.

CIFAR-FS: the split of L. Bertinetto et al., "Meta-learning with differentiable closed-form solvers"
(ICLR 2019); FC100: that of B. Oreshkin et al., "TADAM" (NeurIPS 2018), by superclass. Both were
compared with the lists of Torchmeta (tristandeleu/pytorch-meta,
``torchmeta/datasets/assets/cifar100``); see docs/how-to/data.md.
"""

from __future__ import annotations

SUPERCLASSES = {
    "aquatic_mammals": "beaver dolphin otter seal whale",
    "fish": "aquarium_fish flatfish ray shark trout",
    "flowers": "orchid poppy rose sunflower tulip",
    "food_containers": "bottle bowl can cup plate",
    "fruit_and_vegetables": "apple mushroom orange pear sweet_pepper",
    "household_electrical_devices": "clock keyboard lamp telephone television",
    "household_furniture": "bed chair couch table wardrobe",
    "insects": "bee beetle butterfly caterpillar cockroach",
    "large_carnivores": "bear leopard lion tiger wolf",
    "large_man-made_outdoor_things": "bridge castle house road skyscraper",
    "large_natural_outdoor_scenes": "cloud forest mountain plain sea",
    "large_omnivores_and_herbivores": "camel cattle chimpanzee elephant kangaroo",
    "medium_mammals": "fox porcupine possum raccoon skunk",
    "non-insect_invertebrates": "crab lobster snail spider worm",
    "people": "baby boy girl man woman",
    "reptiles": "crocodile dinosaur lizard snake turtle",
    "small_mammals": "hamster mouse rabbit shrew squirrel",
    "trees": "maple_tree oak_tree palm_tree pine_tree willow_tree",
    "vehicles_1": "bicycle bus motorcycle pickup_truck train",
    "vehicles_2": "lawn_mower rocket streetcar tank tractor",
}
FC100_SUPERCLASSES = {
    "val": (
        "large_carnivores",
        "large_omnivores_and_herbivores",
        "non-insect_invertebrates",
        "small_mammals",
    ),
    "test": ("aquatic_mammals", "insects", "medium_mammals", "people"),
}
CIFAR_FS_CLASSES = {
    "val": (
        "beaver beetle butterfly camel cattle crab crocodile flatfish lamp maple_tree motorcycle "
        "otter sea shark television tractor"
    ),
    "test": (
        "baby bed bicycle chimpanzee fox leopard man pickup_truck plain poppy rocket rose snail "
        "sweet_pepper table telephone wardrobe whale woman worm"
    ),
}
ALL_CLASSES = frozenset(" ".join(SUPERCLASSES.values()).split())


def class_list(name: str, part: str) -> frozenset[str]:
    """Return the classes of a part of "cifar-fs" or "fc100"; train has all others.

    Examples
    --------
    >>> [len(class_list("fc100", part)) for part in ("train", "val", "test")]
    [60, 20, 20]
    """
    if part == "train":
        return ALL_CLASSES - class_list(name, "val") - class_list(name, "test")
    if name == "cifar-fs":
        return frozenset(CIFAR_FS_CLASSES[part].split())
    chosen = (SUPERCLASSES[superclass] for superclass in FC100_SUPERCLASSES[part])
    return frozenset(" ".join(chosen).split())
