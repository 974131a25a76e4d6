"""What the library refuses is reported as an argument of the Python function that was called."""

import re

import numpy as np
import pytest

import skd
from skd import losses, ops

SENTENCE = re.compile(r"The '([\w.]+)' parameter of ([\w.]+) must .*[^.]\.")
NO_IMAGES = np.zeros((0, 4, 4, 2))
ONES = np.ones(2)
GATE = (np.ones((1, 2)), ONES[:1], np.ones((2, 1)), ONES)
NO_CORNERS = np.zeros((0, 3, 3, 2))


OPERATIONS = {
    "conv2d": ("x", lambda: ops.conv2d(NO_IMAGES, np.ones((1, 2, 3, 3)))),
    "conv2d of no kernels": (
        "weight",
        lambda: ops.conv2d(np.ones((1, 4, 4, 2)), np.ones((0, 2, 3, 3))),
    ),
    "conv2d_backward": (
        "x",
        lambda: ops.conv2d_backward(NO_IMAGES, np.ones((1, 2, 3, 3)), np.zeros((0, 2, 2, 1))),
    ),
    "linear": ("x", lambda: ops.linear(np.zeros((0, 2)), np.ones((3, 2)))),
    "linear_backward": (
        "x",
        lambda: ops.linear_backward(np.zeros((0, 2)), np.ones((3, 2)), np.zeros((0, 3))),
    ),
    "batch_norm2d": (
        "x",
        lambda: ops.batch_norm2d(np.ones((1, 1, 1, 2)), ONES, ONES, ONES, ONES, training=True),
    ),
    "batch_norm2d of a negative variance": (
        "running_var",
        lambda: ops.batch_norm2d(np.ones((1, 1, 1, 2)), ONES, ONES, ONES, -ONES),
    ),
    "batch_norm2d_backward": (
        "x",
        lambda: ops.batch_norm2d_backward(NO_IMAGES, ONES, ONES, ONES, NO_IMAGES),
    ),
    "max_pool2d": ("x", lambda: ops.max_pool2d(NO_IMAGES)),
    "max_pool2d_backward": (
        "x",
        lambda: ops.max_pool2d_backward(NO_IMAGES, np.zeros((0, 2, 2, 2))),
    ),
    "global_average_pool": ("x", lambda: ops.global_average_pool(NO_IMAGES)),
    "global_average_pool_backward": (
        "d_output",
        lambda: ops.global_average_pool_backward(np.zeros((0, 2)), height=1, width=1),
    ),
    "drop_block": ("x", lambda: ops.drop_block(NO_IMAGES, NO_CORNERS, block_size=2)),
    "drop_block_backward": (
        "d_output",
        lambda: ops.drop_block_backward(NO_IMAGES, NO_CORNERS, block_size=2),
    ),
    "drop_block_corners": (
        "shape",
        lambda: ops.drop_block_corners((0, 3, 3, 1), block_size=1, gamma=0.0, seed=0),
    ),
    "dropout_mask": ("step", lambda: ops.dropout_mask((2,), rate=0.1, seed=0, step=2**50)),
    "squeeze_excitation": ("x", lambda: ops.squeeze_excitation(NO_IMAGES, *GATE)),
    "squeeze_excitation_backward": (
        "x",
        lambda: ops.squeeze_excitation_backward(NO_IMAGES, *GATE, NO_IMAGES),
    ),
    "leaky_relu_backward": ("d_output", lambda: ops.leaky_relu_backward([1.0], [1.0, 2.0])),
    "cross_entropy": ("logits", lambda: losses.cross_entropy(np.zeros((0, 3)), [])),
    "cross_entropy of a wrong label": ("labels", lambda: losses.cross_entropy([[0.0]], [1])),
    "rotation_bce": ("logits", lambda: losses.rotation_bce(np.zeros((0, 3)), [])),
    "distill_kl": ("student", lambda: losses.distill_kl(np.zeros((0, 3)), np.zeros((0, 3)))),
    "twin_l2": ("rotated", lambda: losses.twin_l2(np.zeros((0, 3)), np.zeros((0, 3)))),
}


OTHERS = {
    "EpisodeSampler.sample": (
        "first",
        lambda: skd.EpisodeSampler([0, 1] * 20, n_way=2).sample(2**60, 1),
    ),
    "step_lr": ("epoch", lambda: skd.step_lr(2**50, base=1.0)),
    "cosine_lr": ("epochs", lambda: skd.cosine_lr(1, epochs=2**50, base=1.0)),
    "epoch_order": ("epoch", lambda: skd.epoch_order(3, seed=0, epoch=2**50)),
    "create_model": (
        "image_size",
        lambda: skd.create_model("convnet4", num_classes=2, image_size=4),
    ),
    "create_model without a place for gates": (
        "use_se",
        lambda: skd.create_model("convnet4", num_classes=2, image_size=16, use_se=True),
    ),
    "LogisticRegression.fit": (
        "max_iter",
        lambda: skd.LogisticRegression(max_iter=2**45).fit([[0.0], [1.0]], [0, 1]),
    ),
}


def assert_named(call, owner, argument):
    with pytest.raises(ValueError, match=SENTENCE) as caught:
        call()
    assert type(caught.value) is ValueError
    match = SENTENCE.fullmatch(str(caught.value))
    assert match, str(caught.value)
    assert match.groups() == (argument, owner)


@pytest.mark.parametrize("case", {**OPERATIONS, **OTHERS})
def test_a_function_and_its_argument_are_named(case):
    argument, call = {**OPERATIONS, **OTHERS}[case]
    assert_named(call, case.partition(" ")[0], argument)


@pytest.mark.parametrize("trainer", [skd.Supervised, skd.Gen0])
@pytest.mark.parametrize("method", ["step", "loss"])
def test_a_trainer_names_itself_and_its_method(make_model, batch, trainer, method):
    own, (x, labels) = trainer(make_model()), batch
    owner = f"{trainer.__name__}.{method}"
    assert_named(lambda: getattr(own, method)(x, labels + 5), owner, "labels")
    assert_named(lambda: getattr(own, method)(np.full_like(x, np.nan), labels), owner, "x")
    assert_named(lambda: own.step_memory(2**50), f"{trainer.__name__}.step_memory", "batch_size")


def test_a_batch_too_small_for_batch_norm_is_named(make_model):
    single = skd.Supervised(make_model("convnet4", image_size=8))
    assert_named(lambda: single.step(np.zeros((1, 8, 8, 3)), [0]), "Supervised.step", "x")
    split = skd.datasets.from_arrays(np.zeros((2, 8, 8, 3), dtype=np.uint8), [0, 1])
    options = {"epochs": 1, "batch_size": 1, "progress": False}
    assert_named(lambda: single.fit(split, **options), "Supervised.fit", "batch_size")


@pytest.mark.parametrize("method", ["embed", "logits", "rotation_logits", "stage_outputs"])
def test_a_model_names_its_method(make_model, batch, method):
    images = np.full_like(batch[0], np.inf)
    assert_named(lambda: getattr(make_model(), method)(images), f"Model.{method}", "images")


def test_states_are_named_by_their_entries(make_model, tmp_path):
    model = make_model()
    state = {name: np.array(view) for name, view in model.state_dict().items()}
    name = "layer1.0.bn1.running_var"
    negative = {**state, name: -1 - state[name]}
    assert_named(lambda: model.load_state_dict(negative), "Model.load_state_dict", name)
    gen0 = skd.Gen0(model)
    own = {key: np.array(view) for key, view in gen0.state_dict().items()}
    velocity = next(key for key in own if key.startswith("velocity."))
    infinite = {**own, velocity: own[velocity] + np.inf}
    assert_named(lambda: gen0.load_state_dict(infinite), "Gen0.load_state_dict", velocity)


@pytest.mark.parametrize(
    ("owner", "name", "call"),
    [
        ("SGD", "lr", lambda: skd.SGD(lr=1e39)),
        ("SGD", "momentum", lambda: skd.SGD(momentum=0.99999999999)),
        ("distill_kl", "temperature", lambda: losses.distill_kl([[0]], [[0]], temperature=1e-60)),
        ("leaky_relu", "slope", lambda: ops.leaky_relu([1.0], slope=-1e39)),
        ("dropout", "rate", lambda: ops.dropout([1.0], [1], rate=0.99999999999)),
    ],
)
def test_a_number_that_float32_rounds_out_of_its_domain_is_told_as_it_came(owner, name, call):
    with pytest.raises(ValueError, match=f"'{name}' parameter of {owner} .* float32 rounds to"):
        call()


def test_an_error_within_a_function_of_a_term_keeps_its_own_names(make_model, batch):
    other = make_model()

    def loss(rows, labels, views):
        return losses.cross_entropy(rows, labels + 100)

    def teaching(rows, labels, views):
        return other.embed(np.full_like(batch[0], np.nan))

    for function, owner, name in (
        (loss, "cross_entropy", "labels"),
        (teaching, "Model.embed", "images"),
    ):
        trainer = skd.Supervised(make_model(), terms=[skd.Term("own", function)])
        assert_named(lambda trainer=trainer: trainer.step(*batch), owner, name)
