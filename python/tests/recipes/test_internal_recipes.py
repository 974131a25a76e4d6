"""Internals of recipes: their keys, tables and teachers."""

import tomllib

import pytest

import skd
import skd.recipes as recipes
from skd.datasets.catalogue import NAMES
from skd.recipes import _shipped, costs
from skd.recipes._reading import from_table, legal_keys
from skd.recipes._teachers import teacher_recipe


def test_a_recipe_of_an_unknown_method_or_data_set_is_listed_after_the_others():
    new = ("gen0-omniglot", "gen0-omniglot-mini", "rfs-simple-omniglot", "maml-cifar-fs")
    listed = sorted((*new, *recipes.names()), key=_shipped._position)
    assert [name for name in listed if name not in new] == list(recipes.names())
    slow = [name for name in listed if not _shipped._position(name)[0]]
    assert slow[-4:] == ["rfs-simple-omniglot", "gen0-omniglot", "maml-cifar-fs", "photos-84"]


def test_every_data_set_has_counts_from_which_times_are_estimated():
    assert set(costs.COUNTS) == set(NAMES)


@pytest.mark.parametrize("name", recipes.names())
def test_every_recipe_is_valid_and_written_out_says_the_same(name):
    recipe = recipes.load(name)
    assert recipe.name == name
    written = tomllib.loads(recipe.to_toml())
    assert from_table(written, name="other") == recipe
    assert recipe.data.name in name or name in skd.list_pretrained()
    if recipe.teacher is not None:
        assert teacher_recipe(recipe).data == recipe.data


@pytest.mark.parametrize("stage", ["supervised", "distilled", "gen0", "gen1"])
def test_a_stage_takes_the_weights_of_its_objective_only(stage):
    own = legal_keys(stage)["loss"]
    assert (
        own
        == {
            "supervised": (),
            "distilled": ("alpha", "beta", "temperature"),
            "gen0": ("alpha", "rotations_per_image"),
            "gen1": ("beta", "temperature", "twin_rotations", "bn_views"),
        }[stage]
    )
    assert ("teacher" in legal_keys(stage)) == (stage in ("distilled", "gen1"))


def test_students_of_several_generations_teach_each_other():
    second = recipes.load("rfs-distill-fc100", changes=["teacher.schedule.epochs=7", "seed=3"])
    first = teacher_recipe(second)
    assert (first.name, first.stage) == ("rfs-distill-fc100-generation-1", "distilled")
    teacher = teacher_recipe(first)
    assert (teacher.name, teacher.stage, teacher.seed) == ("rfs-simple-fc100", "supervised", 3)
    assert teacher.schedule.epochs == 7
    assert teacher.schedule.decay_epochs == (45, 60, 75)


def test_a_teacher_gets_data_and_network_of_its_student_and_its_changes_are_checked():
    student = recipes.load("gen1-fc100", changes=["model.widths=[8]", "data.root=here"])
    teacher = teacher_recipe(student)
    assert (teacher.model, teacher.data) == (student.model, student.data)
    wrong = recipes.load("gen1-fc100", changes=["teacher.loss.beta=1"])
    with pytest.raises(ValueError, match=r"'loss\.beta' parameter of recipe 'gen0-fc100'"):
        teacher_recipe(wrong)
