"""Wrong arguments raise a clear error, change nothing and never stop the interpreter."""

import re

import numpy as np
import pytest

import skd
from skd import losses, ops
from skd.augmentation import CHOICES

NAN, INF = float("nan"), float("inf")
IMAGES = np.zeros((2, 4, 4, 3), dtype=np.float32)
PIXELS = np.zeros((2, 4, 4, 3), dtype=np.uint8)
ONES = np.ones(3, dtype=np.float32)
HUGE = 2**70


def snapshot(model):
    return {name: view.copy() for name, view in model.state_dict().items()}


def assert_unchanged(model, before):
    for name, view in model.state_dict().items():
        np.testing.assert_array_equal(view, before[name], name)


WRONG_OPERATIONS = {
    "conv2d of a vector": (ValueError, "'x'", lambda: ops.conv2d([1.0], [[[[1]]]])),
    "conv2d of text": (TypeError, "'x'", lambda: ops.conv2d("image", [[[[1]]]])),
    "conv2d of objects": (TypeError, "'x'", lambda: ops.conv2d([[None]], [[[[1]]]])),
    "conv2d of ragged lists": (TypeError, "'x'", lambda: ops.conv2d([[1], [2, 3]], [[[[1]]]])),
    "conv2d of complex": (TypeError, "'x'", lambda: ops.conv2d(IMAGES * 1j, [[[[1]]]])),
    "conv2d with other channels": (
        ValueError,
        "'weight'",
        lambda: ops.conv2d(IMAGES, np.ones((1, 2, 3, 3))),
    ),
    "conv2d with an oblong kernel": (
        ValueError,
        "'weight'",
        lambda: ops.conv2d(IMAGES, np.ones((1, 3, 3, 2))),
    ),
    "conv2d with a large kernel": (
        ValueError,
        "'x'",
        lambda: ops.conv2d(IMAGES, np.ones((1, 3, 5, 5))),
    ),
    "conv2d with stride 3": (
        ValueError,
        "'stride'",
        lambda: ops.conv2d(IMAGES, np.ones((1, 3, 1, 1)), stride=3),
    ),
    "conv2d with a fractional stride": (
        TypeError,
        "'stride'",
        lambda: ops.conv2d(IMAGES, np.ones((1, 3, 1, 1)), stride=1.5),
    ),
    "conv2d with much padding": (
        ValueError,
        "'padding'",
        lambda: ops.conv2d(IMAGES, np.ones((1, 3, 3, 3)), padding=HUGE),
    ),
    "conv2d with a long bias": (
        ValueError,
        "'bias'",
        lambda: ops.conv2d(IMAGES, np.ones((1, 3, 1, 1)), [1, 2]),
    ),
    "conv2d_backward with a small gradient": (
        ValueError,
        "'d_output'",
        lambda: ops.conv2d_backward(IMAGES, np.ones((1, 3, 1, 1)), np.ones((2, 3, 4, 1))),
    ),
    "linear with other features": (
        ValueError,
        "'weight'",
        lambda: ops.linear([[1.0, 2.0]], [[1.0]]),
    ),
    "max_pool2d of one pixel": (ValueError, "'x'", lambda: ops.max_pool2d(IMAGES[:, :1, :1])),
    "global_average_pool of a matrix": (
        ValueError,
        "'x'",
        lambda: ops.global_average_pool([[1.0]]),
    ),
    "batch_norm2d with few weights": (
        ValueError,
        "'weight'",
        lambda: ops.batch_norm2d(IMAGES, [1], ONES, ONES, ONES),
    ),
    "batch_norm2d of one value in training": (
        ValueError,
        "rows",
        lambda: ops.batch_norm2d(IMAGES[:1, :1, :1], ONES, ONES, ONES, ONES, training=True),
    ),
    "batch_norm2d with a negative eps": (
        ValueError,
        "'eps'",
        lambda: ops.batch_norm2d(IMAGES, ONES, ONES, ONES, ONES, eps=-1),
    ),
    "leaky_relu with slope NaN": (ValueError, "'slope'", lambda: ops.leaky_relu([1], slope=NAN)),
    "leaky_relu_backward of other shapes": (
        ValueError,
        "'d_output'",
        lambda: ops.leaky_relu_backward([1.0], [1.0, 2.0]),
    ),
    "dropout with rate 1": (ValueError, "'rate'", lambda: ops.dropout([1.0], [1], rate=1)),
    "dropout with a short mask": (
        ValueError,
        "'kept'",
        lambda: ops.dropout([1.0, 2.0], [1], rate=0.5),
    ),
    "dropout_mask with a negative seed": (
        ValueError,
        "'seed'",
        lambda: ops.dropout_mask((2,), rate=0.5, seed=-1),
    ),
    "drop_block with a large block": (
        ValueError,
        "'block_size'",
        lambda: ops.drop_block(IMAGES, PIXELS, block_size=5),
    ),
    "drop_block with other corners": (
        ValueError,
        "'corners'",
        lambda: ops.drop_block(IMAGES, PIXELS, block_size=2),
    ),
    "drop_block_corners with block 0": (
        ValueError,
        "'block_size'",
        lambda: ops.drop_block_corners((1, 4, 4, 1), block_size=0, gamma=0.1, seed=0),
    ),
    "squeeze_excitation with other weights": (
        ValueError,
        "'weight2'",
        lambda: ops.squeeze_excitation(IMAGES, np.ones((2, 3)), [0, 0], np.ones((2, 2)), ONES),
    ),
    "rotate by 5 quarter turns": (ValueError, "'quarter_turns'", lambda: ops.rotate(IMAGES, 5)),
    "rotate of oblong images": (ValueError, "'images'", lambda: ops.rotate(IMAGES[:, :3], 1)),
    "sgd_step of other shapes": (
        ValueError,
        "'d_parameter'",
        lambda: ops.sgd_step([1.0], [1.0, 2.0]),
    ),
    "cross_entropy with a label out of range": (
        ValueError,
        "labels",
        lambda: losses.cross_entropy([[1.0, 2.0]], [2]),
    ),
    "cross_entropy with a negative label": (
        ValueError,
        "labels",
        lambda: losses.cross_entropy([[1.0, 2.0]], [-1]),
    ),
    "cross_entropy with fractional labels": (
        TypeError,
        "'labels'",
        lambda: losses.cross_entropy([[1.0, 2.0]], [0.5]),
    ),
    "cross_entropy with labels beyond int64": (
        ValueError,
        "'labels'",
        lambda: losses.cross_entropy([[1.0]], np.array([2**63], dtype=np.uint64)),
    ),
    "cross_entropy with few labels": (
        ValueError,
        "'labels'",
        lambda: losses.cross_entropy([[1.0], [2.0]], [0]),
    ),
    "distill_kl at temperature 0": (
        ValueError,
        "'temperature'",
        lambda: losses.distill_kl([[1.0]], [[1.0]], temperature=0),
    ),
    "twin_l2 of other shapes": (
        ValueError,
        "'upright'",
        lambda: losses.twin_l2([[1.0]], [[1.0, 2.0]]),
    ),
    "augment of floats": (TypeError, "'images'", lambda: skd.augment(IMAGES, seed=0)),
    "augment of oblong images": (
        ValueError,
        "'images'",
        lambda: skd.augment(PIXELS[:, :3], seed=0),
    ),
    "augment in an unknown mode": (
        ValueError,
        "'crop_flip'",
        lambda: skd.augment(PIXELS, seed=0, mode="jitter"),
    ),
    "augment colours of grey images": (
        ValueError,
        "'mode'",
        lambda: skd.augment(PIXELS[..., :1], seed=0),
    ),
    "augment with std 0": (ValueError, "'std'", lambda: skd.augment(PIXELS, seed=0, std=0)),
    "augment to another size": (ValueError, "'size'", lambda: skd.augment(PIXELS, seed=0, size=8)),
    "augment into float64": (
        TypeError,
        "'out'",
        lambda: skd.augment(PIXELS, seed=0, out=np.empty(PIXELS.shape)),
    ),
    "augment into a strided array": (
        ValueError,
        "'out'",
        lambda: skd.augment(PIXELS, seed=0, out=np.asfortranarray(IMAGES)),
    ),
    "apply_augmentation of tuples": (
        TypeError,
        "'choices'",
        lambda: skd.apply_augmentation(PIXELS, [(0, 0)]),
    ),
    "apply_augmentation outside the image": (
        ValueError,
        "top",
        lambda: skd.apply_augmentation(
            PIXELS, np.array([(99, 0, 0, (-1,) * 3, (1,) * 3)] * 2, dtype=CHOICES)
        ),
    ),
    "apply_augmentation with an unknown operation": (
        ValueError,
        "operation",
        lambda: skd.apply_augmentation(
            PIXELS, np.array([(0, 0, 0, (7, -1, -1), (1,) * 3)] * 2, dtype=CHOICES)
        ),
    ),
    "apply_augmentation with a factor NaN": (
        ValueError,
        "factor",
        lambda: skd.apply_augmentation(
            PIXELS, np.array([(0, 0, 0, (0, 1, 2), (NAN,) * 3)] * 2, dtype=CHOICES)
        ),
    ),
    "step_lr of epoch 0": (ValueError, "'epoch'", lambda: skd.step_lr(0, base=1)),
    "step_lr with one decay epoch": (
        TypeError,
        "'decay_epochs'",
        lambda: skd.step_lr(1, base=1, decay_epochs=3),
    ),
    "cosine_lr beyond the end": (
        ValueError,
        "'epoch'",
        lambda: skd.cosine_lr(5, epochs=4, base=1),
    ),
    "EpisodeSampler without labels": (ValueError, "'labels'", lambda: skd.EpisodeSampler([])),
    "EpisodeSampler with many ways": (
        ValueError,
        "'n_way'",
        lambda: skd.EpisodeSampler([0] * 20, n_way=HUGE // 2**10),
    ),
    "EpisodeSampler with many queries": (
        ValueError,
        "'n_query'",
        lambda: skd.EpisodeSampler([0] * 20, n_way=1, n_query=20),
    ),
    "EpisodeSampler from a negative episode": (
        ValueError,
        "'first'",
        lambda: skd.EpisodeSampler([0] * 20, n_way=1).sample(-1, 1),
    ),
    "LogisticRegression with C 0": (ValueError, "'C'", lambda: skd.LogisticRegression(C=0)),
    "LogisticRegression of NaN": (
        ValueError,
        "'features'",
        lambda: skd.LogisticRegression().fit([[NAN], [1.0]], [0, 1]),
    ),
    "LogisticRegression of one class": (
        ValueError,
        "'labels'",
        lambda: skd.LogisticRegression().fit([[0.0], [1.0]], [3, 3]),
    ),
    "LogisticRegression before fit": (
        skd.SKDError,
        "fit",
        lambda: skd.LogisticRegression().predict([[1.0]]),
    ),
    "LogisticRegression with other features": (
        ValueError,
        "'coefficients'",
        lambda: skd.LogisticRegression().fit([[0.0], [1.0]], [0, 1]).predict([[1.0, 2.0]]),
    ),
    "mean_ci95 of nothing": (ValueError, "'values'", lambda: skd.mean_ci95([])),
    "evaluate_features of NaN": (
        ValueError,
        "'features'",
        lambda: skd.evaluate_features([[NAN]] * 20, [0] * 20, n_way=1),
    ),
    "evaluate_features with an unknown classifier": (
        ValueError,
        "'nearest_centroid'",
        lambda: skd.evaluate_features(np.eye(40), [0, 1] * 20, n_way=2, classifier="svm"),
    ),
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
    "an unknown data set": (ValueError, "'glyphs'", lambda: skd.datasets.load("mnist")),
    "from_arrays with few labels": (
        ValueError,
        "'labels'",
        lambda: skd.datasets.from_arrays(PIXELS, [0]),
    ),
    "from_arrays of values beyond 255": (
        ValueError,
        "'images'",
        lambda: skd.datasets.from_arrays(PIXELS.astype(int) + 300, [0, 1]),
    ),
    "from_arrays without images": (
        ValueError,
        "'images'",
        lambda: skd.datasets.from_arrays(PIXELS[:0], []),
    ),
    "from_arrays with few names": (
        ValueError,
        "'class_names'",
        lambda: skd.datasets.from_arrays(PIXELS, [0, 1], class_names=["a"]),
    ),
    "SGD with momentum 1": (ValueError, "'momentum'", lambda: skd.SGD(momentum=1)),
    "SGD with an infinite rate": (ValueError, "'lr'", lambda: skd.SGD(lr=INF)),
    "SGD with a rate in words": (TypeError, "'lr'", lambda: skd.SGD(lr="fast")),
    "no threads": (ValueError, "'count'", lambda: skd.set_num_threads(0)),
}


@pytest.mark.parametrize("case", WRONG_OPERATIONS)
def test_wrong_argument_is_named(case):
    error, named, call = WRONG_OPERATIONS[case]
    with pytest.raises(error, match=re.escape(named)):
        call()


WRONG_BATCHES = {
    "uint8 without normalization": lambda x, y: (x.astype(np.uint8), y),
    "integers": lambda x, y: (x.astype(np.int64), y),
    "text": lambda x, y: ("images", y),
    "NCHW": lambda x, y: (np.moveaxis(x, -1, 1), y),
    "one image": lambda x, y: (x[0], y[0]),
    "another size": lambda x, y: (x[:, :8, :8], y),
    "NaN": lambda x, y: (np.where(x == x[0, 0, 0, 0], NAN, x), y),
    "infinite": lambda x, y: (np.where(x == x[0, 0, 0, 0], INF, x), y),
    "beyond float32": lambda x, y: (x.astype(np.float64) * 1e300, y),
    "no images": lambda x, y: (x[:0], y[:0]),
    "few labels": lambda x, y: (x, y[:-1]),
    "labels out of range": lambda x, y: (x, y + 1),
    "negative labels": lambda x, y: (x, y - 1),
    "fractional labels": lambda x, y: (x, y + 0.5),
    "one-hot labels": lambda x, y: (x, np.eye(5)[y]),
    "no labels": lambda x, y: (x, None),
}


@pytest.mark.parametrize("case", WRONG_BATCHES)
@pytest.mark.parametrize("objective", [skd.Gen0, skd.Supervised])
@pytest.mark.parametrize("method", ["step", "loss"])
def test_a_wrong_batch_leaves_the_model_unchanged(make_model, batch, case, objective, method):
    model = make_model()
    trainer = objective(model)
    before = snapshot(model)
    with pytest.raises((ValueError, TypeError), match=r"must|at least"):
        getattr(trainer, method)(*WRONG_BATCHES[case](*batch))
    assert_unchanged(model, before)
    assert trainer.steps_taken == 0


WRONG_IMAGES = [name for name in WRONG_BATCHES if "label" not in name and name != "no images"]


@pytest.mark.parametrize("case", WRONG_IMAGES)
def test_evaluation_refuses_wrong_images(make_model, batch, case):
    model = make_model()
    images, _ = WRONG_BATCHES[case](*batch)
    for evaluate in (model.embed, model.logits, model.rotation_logits, model.stage_outputs):
        with pytest.raises((ValueError, TypeError), match="must"):
            evaluate(images)


def test_an_empty_batch_gives_empty_features(make_model):
    model = make_model()
    assert model.embed(np.zeros((0, 16, 16, 3))).shape == (0, model.embedding_dim)


def test_a_diverging_step_raises_and_updates_nothing(make_model, batch):
    model = make_model()
    gen0 = skd.Gen0(model, optimizer=skd.SGD(lr=1e30))
    states = []

    def train():
        for _ in range(10):
            states.append((snapshot(model), gen0.steps_taken))
            gen0.step(*batch)

    with pytest.raises(skd.NonFiniteLossError):
        train()
    before, steps = states[-1]
    assert_unchanged(model, before)
    assert gen0.steps_taken == steps


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


def test_gen0_needs_a_rotation_head(make_model):
    with pytest.raises(ValueError, match="rotation head"):
        skd.Gen0(make_model(rotation_head=False))
    with pytest.raises(ValueError, match="rotation head"):
        make_model(rotation_head=False).rotation_logits(IMAGES)


@pytest.mark.parametrize("options", [{"num_classes": 6}, {"image_size": 32}, {"input_channels": 1}])
def test_gen1_refuses_a_teacher_of_another_kind(make_model, options):
    (name,) = options
    with pytest.raises(ValueError, match=name):
        skd.Gen1(make_model(), make_model(**options))


def test_gen1_refuses_wrong_options(make_model):
    student, teacher = make_model(), make_model()
    with pytest.raises(ValueError, match="'teacher'"):
        skd.Gen1(student, student)
    with pytest.raises(TypeError, match="'teacher'"):
        skd.Gen1(student, None)
    for twins in ((), (180, 180), (45,)):
        with pytest.raises(ValueError, match="'twin_rotations'"):
            skd.Gen1(student, teacher, twin_rotations=twins)
    with pytest.raises(TypeError, match="'twin_rotations'"):
        skd.Gen1(student, teacher, twin_rotations=180)
    with pytest.raises(ValueError, match="'all'"):
        skd.Gen1(student, teacher, bn_views="some")
    with pytest.raises(ValueError, match="'temperature'"):
        skd.Gen1(student, teacher, temperature=0)
    with pytest.raises(TypeError, match="'optimizer'"):
        skd.Gen1(student, teacher, optimizer="sgd")


def test_normalization_is_checked(make_model):
    model = make_model()
    for value in (1, (1,), ((0, 0), 1), (0, 0), (0, -1), (NAN, 1)):
        with pytest.raises(ValueError, match="must be"):
            model.normalization = value
        assert model.normalization is None


@pytest.mark.filterwarnings("ignore:nanobind")
def test_handles_cannot_be_forged():
    from skd import _native

    for kind in (_native.Model, _native.Trainer):
        with pytest.raises(TypeError):
            kind()
        empty = kind.__new__(kind)
        for name in ("state_dict", "gradients"):
            if hasattr(kind, name):
                with pytest.raises(TypeError):
                    getattr(empty, name)()
