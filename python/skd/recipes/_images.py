"""Number of images that pass through the network in a run, which determines its time."""

from __future__ import annotations

from skd.recipes._schema import Evaluation, Gen0Loss, Gen1Loss, Recipe, Schedule
from skd.training import VALIDATION_EPISODES, image_size_of

VALIDATION_DRAWN = VALIDATION_EPISODES * 5 * (1 + 15)  # images of its episodes, with repetition


def training_views(recipe: Recipe) -> int:
    """Return the number of views of an image that the student is trained on in a step."""
    loss = recipe.loss
    if isinstance(loss, Gen0Loss):
        return loss.rotations_per_image
    if isinstance(loss, Gen1Loss):
        return 4 if loss.bn_views == "all" else 1 + len(loss.twin_rotations)
    return 1


def sides_of_epochs(schedule: Schedule, side: int) -> list[int]:
    """Return the side of the images in each epoch, given the side of the data."""
    sizes = schedule.image_sizes or (side,)
    epochs = range(1, schedule.epochs + 1)
    return [image_size_of(epoch, sizes, schedule.resize_epochs) for epoch in epochs]


def validations(recipe: Recipe) -> int:
    """Return the number of validations."""
    if recipe.data.split == "trainval":
        return 0
    return -(-recipe.schedule.epochs // recipe.schedule.val_every)


def validation_images(n_images: int) -> int:
    """Return the largest number of images that a validation embeds."""
    return min(n_images, VALIDATION_DRAWN)


def evaluation_images(evaluation: Evaluation, n_images: int) -> int:
    """Return the largest number of images, with augmented copies, that the evaluation embeds."""
    total, n_way = 0, evaluation.n_way
    most_ways = n_way if isinstance(n_way, int) else n_way[1]
    for n_shot in evaluation.n_shots:
        support = evaluation.n_episodes * most_ways * n_shot
        query = evaluation.n_episodes * most_ways * evaluation.n_query
        if evaluation.support_augmentation == "none":
            total += min(n_images, support + query)
        else:
            total += min(n_images, query) + evaluation.n_support_copies * support
    return total
