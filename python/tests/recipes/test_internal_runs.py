"""Internals of costs: views and images that pass through the network."""

import skd.recipes as recipes
from skd.recipes import _images


def test_views_and_images_are_those_that_pass_through_the_network():
    views = {
        name: _images.training_views(recipes.load(name))
        for name in ("rfs-distill-fc100", "gen0-fc100", "gen1-fc100", "gen1-fc100-official")
    }
    assert list(views.values()) == [1, 4, 2, 4]
    plain = recipes.load("gen0-fc100").evaluation
    assert _images.evaluation_images(plain, 12_000) == 2 * 12_000 + 5 * 600 * 5 * (1 + 5)
    assert _images.evaluation_images(recipes.load("gen0-glyphs").evaluation, 3_040) == 2 * 3_040
