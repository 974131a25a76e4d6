"""Arguments that take one of some words: their types, their texts and their checks agree."""

import importlib
import inspect
import re
import types
from typing import Literal, get_args, get_origin

import numpy as np
import pytest
from numpydoc.docscrape import NumpyDocString

import skd
from skd import augmentation, callbacks, choices, datasets, plots, recipes
from skd.classifiers import kinds
from skd.datasets import catalogue
from skd.recipes import names

MODULES = ("callbacks", "datasets", "distributed", "losses", "ops", "plots", "profiling", "recipes")
SET = re.compile(r"\{(.*?)\}")
#: Numbers that count or index something, which programs compute.
NUMBERS = {"channels", "rotations_per_image", "quarter_turns", "stride"}


def public_callables():
    """Yield (name, function or class, documentation) of all that is public."""
    for module_name in ("", *MODULES):
        module = importlib.import_module(f"skd.{module_name}".rstrip("."))
        for name in module.__all__:
            value = getattr(module, name)
            if not callable(value) or inspect.ismodule(value):
                continue
            if inspect.isclass(value) and issubclass(value, Exception):
                continue
            yield name, value, value.__doc__
            if inspect.isclass(value):
                for member, method in inspect.getmembers(value, inspect.isroutine):
                    is_own = str(getattr(method, "__module__", "")).startswith("skd")
                    if is_own and not member.startswith("_"):
                        yield f"{name}.{member}", method, method.__doc__


def type_of(function, parameter):
    """Return the type of a parameter, or of a field of a dataclass."""
    annotation = inspect.signature(function).parameters[parameter].annotation
    module = inspect.getmodule(function)
    names = {**vars(choices), **vars(module)}
    return eval(annotation, names) if isinstance(annotation, str) else annotation


def words(kind):
    """Return the words that a type allows; None if it allows others, too."""
    if get_origin(kind) is Literal:
        return get_args(kind)
    if isinstance(kind, types.UnionType) or get_args(kind):
        inner = [words(part) for part in get_args(kind) if part not in (type(None), Ellipsis)]
        return inner[0] if len(inner) == 1 else None
    return None


def documented():
    """Return {(callable, parameter): (callable itself, documented words)}."""
    found = {}
    for name, value, text in public_callables():
        doc = NumpyDocString(inspect.cleandoc(text or ""))
        parameters = inspect.signature(value).parameters
        for entry in (*doc["Parameters"], *doc["Attributes"]):
            match = SET.search(entry.type)
            if match and entry.name in parameters and entry.name not in NUMBERS:
                found[name, entry.name] = (value, set(eval(f"[{match[1]}]")))
    return found


DOCUMENTED = documented()


def test_there_are_documented_choices():
    assert len(DOCUMENTED) > 30


@pytest.mark.parametrize("place", DOCUMENTED, ids=".".join)
def test_the_text_of_a_choice_is_its_type(place):
    value, documented = DOCUMENTED[place]
    assert words(type_of(value, place[1])) is not None, "its type is not a Literal"
    assert set(words(type_of(value, place[1]))) == documented


SETS = {name: kind for name, kind in vars(choices).items() if get_origin(kind) is Literal}


@pytest.mark.parametrize("name", SETS)
def test_every_set_is_the_type_of_some_parameter(name):
    used = set()
    for _, value, _ in public_callables():
        for parameter in inspect.signature(value).parameters.values():
            used |= set(re.findall(r"\w+", str(parameter.annotation)))
    assert name in used


def test_tables_have_the_words_of_their_types():
    tables = {
        choices.ClassifierName: kinds.KINDS,
        choices.HeadName: kinds.HEADS,
        choices.Augmentation: augmentation.MODES,
        choices.PublishedData: catalogue.CATALOGUE,
        choices.DataName: catalogue.NAMES,
        choices.Stage: {recipes.load(name).stage for name in names()},
    }
    for kind, table in tables.items():
        assert set(table) == set(choices.values(kind)), kind


def refused_words(call):
    """Return the words that an error lists as legal."""
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    return re.findall(
        r"'([\w-]+)'", str(caught.value).partition("must be")[2].partition("; got")[0]
    )


MODEL = {"num_classes": 2, "image_size": 16}
PIXELS = np.zeros((4, 16, 16, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    """Return, for sets that functions check themselves, a call with another word."""
    model = skd.create_model("convnet4", **MODEL, widths=(4, 4, 4, 4))
    split = datasets.from_arrays(PIXELS, [0, 1, 0, 1])
    shape = skd.profiling.resnet12_convolutions(1, 16)[0].shape
    teacher = model.clone()
    episode = {"n_way": 2, "n_query": 1, "n_episodes": 1}
    fit = {"epochs": 1, "batch_size": 2}
    return {
        "Architecture": lambda w: skd.create_model(w, **MODEL),
        "Precision": lambda w: skd.create_model("convnet4", **MODEL, precision=w),
        "WeightType": lambda w: model.save(tmp_path_factory.getbasetemp() / "model", dtype=w),
        "OnnxInput": lambda w: model.to_onnx(
            tmp_path_factory.getbasetemp() / "model.onnx", input_dtype=w),
        "Features": lambda w: model.features(PIXELS, w),
        "ClassifierName": lambda w: skd.evaluate(model, split, **episode, classifier=w),
        "HeadName": lambda w: skd.FewShotClassifier(model, head=w).fit(PIXELS, [0, 1, 0, 1]),
        "QueryDistribution": lambda w: skd.evaluate(
            model, split, **episode, query_distribution=w),
        "OpenSetScore": lambda w: skd.open_set_scores([[1.0]], [[1.0]], score=w),
        "Metric": lambda w: skd.NearestCentroid(metric=w).fit([[0.0], [1.0]], [0, 1]),
        "Augmentation": lambda w: skd.augment(PIXELS, seed=0, mode=w),
        "ScheduleKind": lambda w: skd.Supervised(model).fit(split, **fit, schedule=w),
        "BatchNormViews": lambda w: skd.Gen1(model, teacher, bn_views=w),
        "Monitor": lambda w: callbacks.EarlyStopping(monitor=w),
        "Projection": lambda w: plots.EmbeddingDisplay.from_models(model, split, method=w),
        "PublishedData": lambda w: datasets.import_data(".", name=w),
        "DataName": lambda w: datasets.load(w),
        "Computation": lambda w: shape.algorithm_for(w),
        "Algorithm": lambda w: shape.supports(w),
        "AnyAlgorithm": lambda w: shape.time(algorithm=w),
    } | {
        name: lambda w, key=key: recipes.load("gen0-glyphs", changes=[f'{key}="{w}"'])
        for name, key in {
            "RecipeDataName": "data.name",
            "TrainingPart": "data.split",
            "EvaluationPart": "evaluation.split",
            "TrainedModel": "evaluation.model",
        }.items()
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(set(SETS) - {"TwinRotation", "Stage"}))
def test_the_check_of_a_choice_accepts_the_words_of_its_type(calls, name):
    legal = choices.values(SETS[name])
    assert tuple(refused_words(lambda: calls[name]("another")))[: len(legal)] == legal


def test_rotations_are_checked_as_their_type_says(make_model):
    model, teacher = make_model(), make_model()
    for rotation in choices.values(choices.TwinRotation):
        skd.Gen1(model, teacher, twin_rotations=(rotation,))
    with pytest.raises(ValueError, match=r"different values of \(90, 180, 270\)"):
        skd.Gen1(model, teacher, twin_rotations=(0,))
