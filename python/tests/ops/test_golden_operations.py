"""Operations, losses, rotations, DropBlock and schedules agree with the PyTorch reference."""

import numpy as np
import pytest
from golden import Golden, assert_relative, assert_sampled, fill, nchw, nhwc, uniform

import skd
from skd import losses, ops

KERNELS = Golden("kernels")
SEED = KERNELS.seed("data")
LOSSES = Golden("losses")
DROPBLOCK = Golden("dropblock")
SCHEDULE = Golden("schedule")


def upstream(key):
    """Return the gradient of the output, as NHWC if it is an image."""
    gradient = fill(f"{key}.gy", KERNELS[f"{key}.y.shape"], SEED)
    return nhwc(gradient) if gradient.ndim == 4 else gradient


@pytest.mark.parametrize("case", range(int(KERNELS["conv.count"])))
def test_conv2d_matches_the_reference(case):
    key = f"conv{case}"
    batch, inputs, outputs, side, size, stride = KERNELS.numbers(f"{key}.cfg")
    x = nhwc(fill(f"{key}.x", (batch, inputs, side, side), SEED))
    weight = fill(f"{key}.weight", (outputs, inputs, size, size), SEED)
    bias = fill(f"{key}.bias", (outputs,), SEED)
    options = {"stride": stride, "padding": size // 2}

    assert_sampled(KERNELS, f"{key}.y", nchw(ops.conv2d(x, weight, bias, **options)), 1e-5)
    d_x, d_weight, d_bias = ops.conv2d_backward(x, weight, upstream(key), **options)
    assert_sampled(KERNELS, f"{key}.g.x", nchw(d_x), 1e-5)
    assert_sampled(KERNELS, f"{key}.g.weight", d_weight, 1e-5)
    assert_sampled(KERNELS, f"{key}.g.bias", d_bias, 1e-5)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("case", range(int(KERNELS["bn.count"])))
def test_batch_norm2d_matches_the_reference(case, training):
    key = f"bn{case}"
    batch, channels, side, offset = KERNELS.numbers(f"{key}.cfg")
    x = offset + uniform(f"{key}.x", (batch, channels, side, side), SEED)
    x = nhwc(x.astype(np.float32))
    weight, bias, mean, var = (
        fill(f"{key}.{name}", (channels,), SEED)
        for name in ("weight", "bias", "running_mean", "running_var")
    )
    tolerance = 5e-5 if offset else 1e-5  # an offset of 64 costs digits
    mode = f"{key}.{'train' if training else 'eval'}"

    result = ops.batch_norm2d(x, weight, bias, mean, var, training=training)
    assert_sampled(KERNELS, f"{mode}.y", nchw(result.output), tolerance)
    if training:
        assert_relative(result.running_mean, KERNELS[f"{mode}.running_mean"], 1e-6, "mean")
        assert_relative(result.running_var, KERNELS[f"{mode}.running_var"], 1e-6, "variance")
    d_x, d_weight, d_bias = ops.batch_norm2d_backward(
        x, weight, result.mean, result.inverse_std, upstream(mode), training=training
    )
    assert_sampled(KERNELS, f"{mode}.g.x", nchw(d_x), tolerance)
    assert_sampled(KERNELS, f"{mode}.g.weight", d_weight, tolerance)
    assert_sampled(KERNELS, f"{mode}.g.bias", d_bias, tolerance)


@pytest.mark.parametrize("scale", [1e17, 1e18, 4e18])
def test_batch_norm2d_of_huge_values_is_that_of_ordinary_ones(rng, scale):
    x = rng.standard_normal((4, 16, 16, 3), dtype=np.float32)
    huge = np.float32(scale) * x
    one, zero = np.ones(3), np.zeros(3)
    result = ops.batch_norm2d(huge, one, zero, zero, one, training=True)
    deviation = huge.astype(np.float64).std(axis=(0, 1, 2))
    np.testing.assert_allclose(result.inverse_std, 1 / deviation, rtol=1e-5)
    normalized = (x - x.mean((0, 1, 2))) / x.std((0, 1, 2))
    np.testing.assert_allclose(result.output, normalized, atol=1e-4)


@pytest.mark.parametrize("key", ["leaky", "relu"])
def test_rectifiers_match_the_reference(key):
    x = nhwc(np.floor(uniform("act.x", KERNELS[f"{key}.y.shape"], SEED) * 8) / 8)
    forward, backward = {
        "leaky": (ops.leaky_relu, ops.leaky_relu_backward),
        "relu": (ops.relu, ops.relu_backward),
    }[key]
    assert_sampled(KERNELS, f"{key}.y", nchw(forward(x)), 1e-6)
    assert_sampled(KERNELS, f"{key}.g.x", nchw(backward(x, upstream(key))), 1e-6)


@pytest.mark.parametrize("case", range(int(KERNELS["pool.count"])))
def test_max_pool2d_matches_the_reference_exactly(case):
    key = f"pool{case}"
    batch, channels, side = KERNELS.numbers(f"{key}.cfg")
    x = nhwc(np.floor(uniform(f"{key}.x", (batch, channels, side, side), SEED) * 4) / 4)
    assert_sampled(KERNELS, f"{key}.y", nchw(ops.max_pool2d(x)), 0)
    d_x = ops.max_pool2d_backward(x, upstream(key))
    assert_sampled(KERNELS, f"{key}.g.x", nchw(d_x), 0)


def test_global_average_pool_matches_the_reference():
    x = nhwc(fill("gap.x", (*KERNELS.numbers("gap.y.shape"), 5, 5), SEED))
    assert_sampled(KERNELS, "gap.y", ops.global_average_pool(x), 1e-6)
    d_x = ops.global_average_pool_backward(upstream("gap"), height=5, width=5)
    assert_sampled(KERNELS, "gap.g.x", nchw(d_x), 1e-6)


def test_linear_matches_the_reference():
    rows, outputs = KERNELS.numbers("linear.y.shape")
    x, weight = fill("linear.x", (rows, 40), SEED), fill("linear.weight", (outputs, 40), SEED)
    bias = fill("linear.bias", (outputs,), SEED)
    assert_sampled(KERNELS, "linear.y", ops.linear(x, weight, bias), 2e-6)
    d_x, d_weight, d_bias = ops.linear_backward(x, weight, upstream("linear"))
    assert_sampled(KERNELS, "linear.g.input", d_x, 2e-6)
    assert_sampled(KERNELS, "linear.g.weight", d_weight, 2e-6)
    assert_sampled(KERNELS, "linear.g.bias", d_bias, 2e-6)


def test_dropout_matches_the_reference():
    shape = KERNELS["dropout.y.shape"]
    kept = nhwc(uniform("dropout.mask", tuple(shape), SEED) >= -0.8)
    assert kept.sum() == KERNELS["dropout.kept"]
    x = nhwc(fill("dropout.x", shape, SEED))
    assert_sampled(KERNELS, "dropout.y", nchw(ops.dropout(x, kept, rate=0.1)), 1e-6)
    d_x = ops.dropout_backward(upstream("dropout"), kept, rate=0.1)
    assert_sampled(KERNELS, "dropout.g.x", nchw(d_x), 1e-6)


def test_squeeze_excitation_matches_the_reference():
    x = nhwc(fill("se.x", KERNELS["se.y.shape"], SEED))
    channels = x.shape[3]
    hidden = int(KERNELS["se.g.b1.idx"].max()) + 1
    gate = (
        fill("se.fc.0.weight", (hidden, channels), SEED),
        fill("se.fc.0.bias", (hidden,), SEED),
        fill("se.fc.2.weight", (channels, hidden), SEED),
        fill("se.fc.2.bias", (channels,), SEED),
    )
    assert_sampled(KERNELS, "se.y", nchw(ops.squeeze_excitation(x, *gate)), 2e-6)
    d_x, *gradients = ops.squeeze_excitation_backward(x, *gate, upstream("se"))
    assert_sampled(KERNELS, "se.g.x", nchw(d_x), 2e-6)
    for name, gradient in zip(("w1", "b1", "w2", "b2"), gradients, strict=True):
        assert_sampled(KERNELS, f"se.g.{name}", gradient, 2e-6)


def test_rotations_match_the_reference_exactly():
    golden = Golden("rotations")
    x = nhwc(fill("input", golden["rot0"].shape, golden.seed("data")))
    for turns in range(4):
        rotated = nchw(ops.rotate(x, turns))
        np.testing.assert_array_equal(rotated, golden[f"rot{90 * turns}"])
    for key, order in (("gen0_batch", (0, 1, 2, 3)), ("gen1_batch", (0, 2, 1, 3))):
        views = np.concatenate([ops.rotate(x, turns) for turns in order])
        np.testing.assert_array_equal(nchw(views), golden[key])


@pytest.mark.parametrize("rows", ["ce", "ce_smooth_rows"])
def test_cross_entropy_matches_the_reference(rows):
    gradient = LOSSES[f"{rows}.grad"]
    count = len(gradient)
    loss, d_logits = losses.cross_entropy(LOSSES["logits"][:count], LOSSES["targets"][:count])
    assert_relative(loss, LOSSES[f"{rows}.value"], 1e-6)
    assert_relative(d_logits, gradient, 1e-6)


def test_rotation_bce_matches_the_reference():
    loss, d_logits = losses.rotation_bce(LOSSES["four"], LOSSES["labels"])
    assert_relative(loss, LOSSES["bce.value"], 1e-6)
    assert_relative(d_logits, LOSSES["bce.grad"], 1e-6)


@pytest.mark.parametrize("temperature", [4, 2, 1])
def test_distill_kl_matches_the_reference(temperature):
    key = f"kl_t{temperature}"
    loss, d_student = losses.distill_kl(LOSSES["logits"], LOSSES["other"], temperature=temperature)
    assert_relative(loss, LOSSES[f"{key}.value"], 1e-6)
    assert_relative(d_student, LOSSES[f"{key}.grad"], 1e-6)


def test_twin_l2_matches_the_reference_and_is_flat_for_equal_twins():
    loss, d_rotated, d_upright = losses.twin_l2(LOSSES["logits"], LOSSES["other"])
    assert_relative(loss, LOSSES["twin.value"], 1e-6)
    assert_relative(d_rotated, LOSSES["twin.grad"], 1e-6)
    assert_relative(d_upright, LOSSES["twin.grad_other"], 1e-6)
    equal = LOSSES["twin.naive_grad_is_nan"].astype(bool)
    assert equal.any()
    assert (d_rotated[equal] == 0).all()


@pytest.mark.parametrize("case", range(int(DROPBLOCK["count"])))
def test_drop_block_matches_the_reference(case):
    key, seed = f"case{case}", DROPBLOCK.seed("data")
    batch, channels, side, block, _ = DROPBLOCK.numbers(f"{key}.cfg")
    corners = np.zeros((batch, side - block + 1, side - block + 1, channels), dtype=np.uint8)
    for image, channel, row, column in DROPBLOCK[f"{key}.seeds"]:
        corners[image, row, column, channel] = 1
    shape = (batch, channels, side, side)

    ones, scale = ops.drop_block(np.ones((batch, side, side, channels)), corners, block_size=block)
    dropped = np.flatnonzero(np.ascontiguousarray(nchw(ones)) == 0)
    np.testing.assert_array_equal(dropped, DROPBLOCK[f"{key}.full.dropped"])
    x, d_output = (nhwc(fill(f"{key}.{name}", shape, seed)) for name in ("x", "gy"))
    output, _ = ops.drop_block(x, corners, block_size=block)
    d_x = ops.drop_block_backward(d_output, corners, block_size=block)
    if f"{key}.full.scale" in DROPBLOCK:
        assert_relative(scale, DROPBLOCK[f"{key}.full.scale"], 1e-6)
        assert_sampled(DROPBLOCK, f"{key}.full.y", nchw(output), 1e-6)
        assert_sampled(DROPBLOCK, f"{key}.full.gx", nchw(d_x), 1e-6)
    else:  # nothing is kept: zeros, where the reference has NaN
        assert not output.any()
        assert not d_x.any()


def test_drop_block_gamma_matches_the_reference():
    gamma = [
        ops.drop_block_gamma(rate=0.1, block_size=block, side=side, step=calls)
        for side, block, calls in DROPBLOCK["gamma.cfg"]
    ]
    assert_relative(gamma, DROPBLOCK["gamma.value"], 1e-6)


@pytest.mark.parametrize("case", range(int(SCHEDULE["step.count"])))
def test_step_lr_matches_the_reference(case):
    base, factor = SCHEDULE[f"step{case}.cfg"]
    milestones = SCHEDULE.numbers(f"step{case}.milestones")
    expected = SCHEDULE[f"step{case}.lr"]
    rates = [
        skd.step_lr(epoch, base=base, decay_epochs=milestones, factor=factor)
        for epoch in range(1, len(expected) + 1)
    ]
    np.testing.assert_allclose(rates, expected, rtol=1e-6)


@pytest.mark.parametrize("case", range(int(SCHEDULE["cosine.count"])))
def test_cosine_lr_matches_the_reference(case):
    base, factor = SCHEDULE[f"cosine{case}.cfg"]
    expected = SCHEDULE[f"cosine{case}.lr"]
    epochs = len(expected)
    rates = [
        skd.cosine_lr(epoch, epochs=epochs, base=base, factor=factor)
        for epoch in range(1, epochs + 1)
    ]
    np.testing.assert_allclose(rates, expected, rtol=1e-6)
