"""The state of trainers: saved, restored, and told when a step fails."""

import numpy as np
import pytest
import run_fit
from bad_input import assert_unchanged, snapshot

import skd


def copied(state):
    return {name: np.array(array) for name, array in state.items()}


def test_the_state_holds_step_rate_and_a_velocity_for_each_parameter(make_model, batch):
    model = make_model()
    gen0 = skd.Gen0(model)
    state = gen0.state_dict()
    assert state["step"] == 0
    assert state["learning_rate"] == 0.05
    velocities = {name: array for name, array in state.items() if name.startswith("velocity.")}
    assert not any(array.any() for array in velocities.values())
    gen0.step(*batch)
    gradients = gen0.gradients()
    assert velocities.keys() == {f"velocity.{name}" for name in gradients}
    for name, gradient in gradients.items():
        assert velocities[f"velocity.{name}"].shape == gradient.shape
    assert gen0.state_dict()["step"] == 1


def test_the_first_velocity_is_the_gradient_without_weight_decay(make_model, batch):
    gen0 = skd.Gen0(make_model(), optimizer=skd.SGD(weight_decay=0))
    gen0.step(*batch)
    state = gen0.state_dict()
    for name, gradient in gen0.gradients().items():
        np.testing.assert_array_equal(state[f"velocity.{name}"], gradient, name)


@pytest.mark.parametrize("generation", [0, 1])
def test_a_restored_trainer_goes_on_bit_for_bit(make_model, batch, generation):
    def make(seed):
        model, teacher = make_model(seed=seed), make_model(seed=9)
        if generation:
            return skd.Gen1(model, teacher, seed=3)
        return skd.Gen0(model, seed=3)

    steady, other = make(1), make(2)
    steady.learning_rate = 0.03
    for _ in range(3):
        steady.step(*batch)
    other.step(*batch)
    other.model.load_state_dict(copied(steady.model.state_dict()))
    other.load_state_dict(copied(steady.state_dict()))
    assert (other.steps_taken, other.learning_rate) == (3, 0.03)
    for _ in range(2):
        assert steady.step(*batch) == other.step(*batch)
    assert run_fit.digest(steady, []) == run_fit.digest(other, [])


WRONG_STATES = {
    "no mapping": (TypeError, "'state_dict'", lambda state: list(state)),
    "a name too few": (
        ValueError,
        "missing",
        lambda state: {k: v for k, v in state.items() if k != "step"},
    ),
    "a name too many": (ValueError, "unexpected", lambda state: {**state, "momentum": 0}),
    "a negative step": (ValueError, "'step'", lambda state: {**state, "step": -1}),
    "a step beyond all counters": (ValueError, "'step'", lambda state: {**state, "step": 2**60}),
    "half a step": (TypeError, "'step'", lambda state: {**state, "step": 0.5}),
    "an infinite rate": (
        ValueError,
        "'learning_rate'",
        lambda state: {**state, "learning_rate": 1e39},
    ),
    "a velocity of another shape": (
        ValueError,
        "of shape",
        lambda state: {**state, "velocity.classifier.bias": np.zeros(4)},
    ),
    "a velocity that is NaN": (
        ValueError,
        "finite",
        lambda state: {**state, "velocity.classifier.bias": np.full(5, np.nan)},
    ),
}


@pytest.mark.parametrize("case", WRONG_STATES)
def test_a_wrong_state_is_refused_and_changes_nothing(make_model, batch, case):
    error, named, change = WRONG_STATES[case]
    model = make_model()
    gen0 = skd.Gen0(model)
    gen0.step(*batch)
    before, state = snapshot(model), copied(gen0.state_dict())
    with pytest.raises(error, match=named):
        gen0.load_state_dict(change({**copied(state), "velocity.rot_classifier.bias": np.ones(4)}))
    assert_unchanged(model, before)
    for name, array in gen0.state_dict().items():
        np.testing.assert_array_equal(array, state[name], name)


def test_a_step_that_is_not_finite_tells_its_number_and_terms(make_model, batch):
    gen0 = skd.Gen0(make_model())
    gen0.step(*batch)
    with pytest.raises(skd.NonFiniteLossError, match="step 2") as caught:
        gen0.step(1e25 * batch[0], batch[1])
    error = caught.value
    assert error.step == 2
    assert error.checkpoint is None
    assert error.terms.keys() == {"total", "cross_entropy", "rotation", "distillation", "twin"}
    assert not np.isfinite(error.terms["total"])


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("trainer", [skd.Supervised, skd.Gen0])
def test_a_step_whose_update_overflows_is_refused_like_a_loss(make_model, batch, trainer, momentum):
    model = make_model()
    own = trainer(model, optimizer=skd.SGD(lr=0.05, momentum=momentum, weight_decay=10.0))
    own.step(*batch)
    own.learning_rate = 3e38
    before, state = snapshot(model), copied(own.state_dict())
    with pytest.raises(skd.NonFiniteLossError, match="after the update of step 2") as caught:
        own.step(*batch)
    assert caught.value.step == 2
    assert np.isfinite(caught.value.terms["total"])
    assert_unchanged(model, before)
    for name, array in own.state_dict().items():
        np.testing.assert_array_equal(array, state[name], name)
    own.learning_rate = 0.05
    own.step(*batch)
    assert own.steps_taken == 2


def test_a_step_on_values_near_1e18_is_finite(make_model, batch):
    for scale in (1e17, 1e18, 3e18):
        model = make_model("convnet4", widths=(8, 8, 8, 8))
        state = {name: np.array(view) for name, view in model.state_dict().items()}
        first = next(name for name, view in state.items() if view.ndim == 4)
        model.load_state_dict({**state, first: np.float32(scale) * state[first]})
        supervised = skd.Supervised(model, optimizer=skd.SGD(lr=1e-3))
        losses = supervised.step(*batch)
        assert np.isfinite(losses.total)
        assert all(np.isfinite(view).all() for view in model.state_dict().values())
        assert np.isfinite(model.embed(batch[0])).all()
