"""Wrong arguments leave a model unchanged and never stop the interpreter."""

import numpy as np
import pytest
from bad_input import NAN, WRONG_BATCHES, assert_refused, assert_unchanged, snapshot

import skd

WRONG_MODELS = {
    "a rotation head in words": (
        TypeError,
        "'rotation_head'",
        lambda: skd.create_model("resnet12", num_classes=2, image_size=32, rotation_head="no"),
    ),
    "an unknown precision": (
        ValueError,
        "'precision'",
        lambda: skd.create_model("resnet12", num_classes=2, image_size=32, precision="float16"),
    ),
    "an unknown precision of a loaded model": (
        ValueError,
        "'precision'",
        lambda: skd.load_model("absent.safetensors", precision="bf16"),
    ),
    "a drop rate beyond floats": (
        ValueError,
        "'drop_rate'",
        lambda: skd.create_model("resnet12", num_classes=2, image_size=32, drop_rate=10**400),
    ),
    "a model loaded from None": (TypeError, "'path'", lambda: skd.load_model(None)),
    "an unknown architecture": (
        ValueError,
        "'convnet4'",
        lambda: skd.create_model("vgg", num_classes=2, image_size=32),
    ),
    "an architecture that is no name": (
        ValueError,
        "'architecture'",
        lambda: skd.create_model(None, num_classes=2, image_size=32),
    ),
    "a model without classes": (
        ValueError,
        "'num_classes'",
        lambda: skd.create_model("convnet4", num_classes=0, image_size=32),
    ),
    "a model of tiny images": (
        ValueError,
        "image_size",
        lambda: skd.create_model("resnet12", num_classes=2, image_size=1),
    ),
    "a model of five channels": (
        ValueError,
        "'input_channels'",
        lambda: skd.create_model("convnet4", num_classes=2, image_size=32, input_channels=5),
    ),
    "a model of too few widths": (
        ValueError,
        "widths",
        lambda: skd.create_model("resnet12", num_classes=2, image_size=32, widths=[8]),
    ),
    "a model of absurd widths": (
        (ValueError, MemoryError),
        "widths",
        lambda: skd.create_model("resnet12", num_classes=2, image_size=32, widths=[2**40] * 4),
    ),
    "a model that always drops": (
        ValueError,
        "'drop_rate'",
        lambda: skd.create_model("resnet12", num_classes=2, image_size=32, drop_rate=1),
    ),
    "a model with seed None": (
        TypeError,
        "'seed'",
        lambda: skd.create_model("convnet4", num_classes=2, image_size=32, seed=None),
    ),
}


@pytest.mark.parametrize("case", WRONG_MODELS)
def test_wrong_argument_is_named(case):
    assert_refused(*WRONG_MODELS[case])


RIGHT_HERE = {"no images", "one image"}  # a trainer refuses them
WRONG_IMAGES = [name for name in WRONG_BATCHES if "label" not in name and name not in RIGHT_HERE]


@pytest.mark.parametrize("case", WRONG_IMAGES)
def test_evaluation_refuses_wrong_images(make_model, batch, case):
    model = make_model()
    images, _ = WRONG_BATCHES[case](*batch)
    for evaluate in (model.embed, model.logits, model.rotation_logits, model.stage_outputs):
        with pytest.raises((ValueError, TypeError), match="must"):
            evaluate(images)


def test_outputs_that_overflow_are_an_error_and_not_a_chance_accuracy(make_model, make_split):
    model = make_model()
    state = {name: np.array(view) for name, view in model.state_dict().items()}
    large = {name: 1e12 * view for name, view in state.items() if name.endswith("weight")}
    model.load_state_dict({**state, **large})
    split = make_split()
    model.normalization = (split.mean, split.std)
    for owner in ("embed", "logits", "rotation_logits"):
        with pytest.raises(skd.SKDError, match=rf"Model\.{owner} gave NaN or infinite values"):
            getattr(model, owner)(split.images)
    with pytest.raises(skd.SKDError, match="gave NaN or infinite values"):
        skd.evaluate(model, split, n_way=2, n_query=2, n_episodes=2)
    with pytest.raises(skd.SKDError, match="gave NaN or infinite values"):
        skd.FewShotClassifier(model).fit(split.images, split.labels)


def test_an_empty_batch_gives_empty_features(make_model):
    model = make_model()
    assert model.embed(np.zeros((0, 16, 16, 3))).shape == (0, model.embedding_dim)


def without_one(state):
    return dict(list(state.items())[1:])


WRONG_STATES = {
    "a missing name": (r"missing \['layer1", lambda state: without_one(state)),
    "an unexpected name": ("unexpected", lambda state: {**state, "extra": 1.0}),
    "another shape": ("shape", lambda state: {**state, "classifier.bias": np.zeros(6)}),
    "text": ("'classifier.bias'", lambda state: {**state, "classifier.bias": "zeros"}),
    "NaN": ("finite", lambda state: {**state, "classifier.bias": np.full(5, NAN)}),
    "a negative variance": (
        "running_var",
        lambda state: {**state, "layer1.0.bn1.running_var": np.full(8, -1.0)},
    ),
    "a counter that would overflow": (
        "num_batches_tracked",
        lambda state: {**state, "layer1.0.bn1.num_batches_tracked": 2**63 - 1},
    ),
    "a negative counter": (
        "num_batches_tracked",
        lambda state: {**state, "layer1.0.bn1.num_batches_tracked": -1},
    ),
    "a list": ("mapping", lambda state: list(state)),
}


@pytest.mark.parametrize("case", WRONG_STATES)
def test_load_state_dict_takes_all_or_nothing(make_model, case):
    model, other = make_model(seed=0), make_model(seed=1)
    before = snapshot(model)
    message, change = WRONG_STATES[case]
    with pytest.raises((ValueError, TypeError), match=message):
        model.load_state_dict(change(other.state_dict()))
    assert_unchanged(model, before)


def test_normalization_is_checked(make_model):
    model = make_model()
    for value in (1, (1,), ((0, 0), 1), (0, 0), (0, -1), (NAN, 1)):
        with pytest.raises(ValueError, match="must be"):
            model.normalization = value
        assert model.normalization is None


@pytest.mark.parametrize("normalization", [None, (0.5, 0.25)])
@pytest.mark.parametrize("scale", [65535.0, 1e18, np.nan, np.inf])
@pytest.mark.parametrize("method", ["embed", "logits", "rotation_logits", "stage_outputs"])
def test_floats_that_no_normalisation_gives_are_refused(make_model, method, scale, normalization):
    model = make_model()
    model.normalization = normalization
    images = np.full((2, 16, 16, 3), scale, dtype=np.float32)
    with pytest.raises(
        ValueError, match=rf"'images' parameter of Model.{method} must be uint8, or"
    ):
        getattr(model, method)(images)


def test_pixels_in_0_to_255_are_not_taken_for_normalised_floats(make_model, rng):
    model = make_model()
    pixels = rng.integers(0, 256, (6, 16, 16, 3)).astype(np.float64)
    assert np.isfinite(model.embed(pixels - 128)).all()  # some networks take them so
    model.normalization = (0.5, 0.25)
    labels = np.arange(6) % 3
    classifier = skd.FewShotClassifier(model).fit(pixels.astype(np.uint8), labels)
    for call in (
        lambda: model.features(pixels, "embedding"),
        lambda: skd.Gen0(model).step(pixels, labels),
        lambda: skd.Supervised(model).loss(pixels, labels),
        lambda: skd.FewShotClassifier(model).fit(pixels, labels),
        lambda: classifier.predict(pixels),
        lambda: classifier.score(pixels, labels),
    ):
        with pytest.raises(ValueError, match=r"within 20 of 0; got float\d\d in 0\.\.255"):
            call()
    assert model.embed((pixels / 255 - 0.5) / 0.25).shape == (6, model.embedding_dim)
