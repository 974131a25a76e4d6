"""Memory: told before it is taken, refused where the machine lacks it, and given back."""

import gc
import re

import numpy as np
import pytest
import run_lifetimes
from bad_input import assert_unchanged, snapshot

import skd
from skd.models import EVALUATION_BATCH

MANY = 2**22


@pytest.fixture(autouse=True)
def free_what_others_left():
    """Errors of other tests hold their models in cycles, which would be freed in the middle."""
    gc.collect()


def broadcast(count, side=16):
    """Return that many images which take no memory."""
    return np.broadcast_to(np.float32(0.5), (count, side, side, 3))


def make_trainer(make_model, objective, **options):
    if objective in (skd.Gen1, skd.Distilled):
        return objective(make_model(**options), make_model(seed=1, **options))
    return objective(make_model(**options))


OBJECTIVES = (skd.Supervised, skd.Gen0, skd.Gen1, skd.Distilled)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_memory_of_a_step_is_what_it_takes(make_model, batch, objective):
    before = skd.live_memory()
    trainer = make_trainer(make_model, objective)
    told = trainer.step_memory(8)
    for _ in range(3):
        trainer.step(*batch)
    assert skd.live_memory() - before == told


def test_the_memory_of_an_evaluation_is_what_it_takes(make_model):
    before = skd.live_memory()
    model = make_model()
    told = model.evaluation_memory(70)
    model.embed(broadcast(70))
    assert skd.live_memory() - before == told


def test_python_evaluates_as_many_images_at_once_as_the_library(make_model):
    needs = [make_model().evaluation_memory(EVALUATION_BATCH + more) for more in (-1, 0, 1)]
    assert needs[0] < needs[1] == needs[2]


ORDERS = ([1, 3, 8, 20, 64], [64, 20, 8, 3, 1], [8, 64, 1, 20, 3])


@pytest.mark.parametrize("sizes", ORDERS)
@pytest.mark.parametrize("objective", [skd.Supervised, skd.Gen1])
def test_steps_of_many_sizes_hold_what_the_largest_needs(make_model, objective, sizes):
    before = skd.live_memory()
    trainer = make_trainer(make_model, objective)
    for size in sizes:
        trainer.step(broadcast(size), np.zeros(size, int))
    assert skd.live_memory() - before == trainer.step_memory(64)


@pytest.mark.parametrize("sizes", ORDERS)
def test_evaluations_of_many_sizes_hold_what_the_largest_needs(make_model, sizes):
    before = skd.live_memory()
    model = make_model(image_size=32)
    for size in sizes:
        model.embed(broadcast(size, side=32))
    # The weights of a few layers are kept in a second layout.
    assert skd.live_memory() - before < 1.1 * model.evaluation_memory(64)


def test_steps_that_fail_hold_nothing_besides(make_model):
    before, images, labels = skd.live_memory(), broadcast(8), np.arange(8) % 5
    fails = skd.Term("NaN", lambda rows, *_: (float("nan"), np.zeros_like(rows)))
    trainer = skd.Gen0(make_model(), terms=[fails])
    for _ in range(3):
        with pytest.raises(skd.NonFiniteLossError):
            trainer.step(images, labels)
        assert skd.live_memory() - before == trainer.step_memory(8)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("method", ["step", "loss"])
def test_a_step_that_does_not_fit_is_refused_before_it_begins(make_model, batch, objective, method):
    trainer = make_trainer(make_model, objective)
    trainer.step(*batch)
    before, held = snapshot(trainer.model), skd.live_memory()
    gradients = {name: view.copy() for name, view in trainer.gradients().items()}
    message = (
        rf"a training step of {objective.__name__} on {MANY} images does not fit into memory: "
        r"it needs about (\d+) bytes, and (\d+) are available"
    )
    with pytest.raises(MemoryError, match=message) as caught:
        getattr(trainer, method)(broadcast(MANY), np.broadcast_to(0, MANY))
    needed, available = map(int, re.search(message, str(caught.value)).groups())
    copy = 4 * broadcast(MANY).size
    assert trainer.step_memory(MANY) + copy <= needed
    assert 0 < available < needed
    assert skd.live_memory() == held
    assert_unchanged(trainer.model, before)
    for name, view in trainer.gradients().items():
        np.testing.assert_array_equal(view, gradients[name], name)
    trainer.step(*batch)
    assert trainer.steps_taken == 2


def test_an_evaluation_that_does_not_fit_is_refused_before_it_begins():
    wide = skd.create_model("convnet4", num_classes=2, image_size=4096, widths=(512, 4, 4, 4))
    held = skd.live_memory()
    for call in (wide.embed, wide.logits, wide.stage_outputs):
        with pytest.raises(MemoryError, match="an evaluation of 64 images, 64 at a time,"):
            call(broadcast(64, side=4096))
    assert skd.live_memory() == held


def test_a_fit_that_does_not_fit_is_refused_before_it_begins(make_model, make_split, tmp_path):
    class Greedy(skd.Gen0):
        def require_memory(self, batch_size, further_bytes=0, *, image_size=None):
            super().require_memory(batch_size, further_bytes * 2**40)

    trainer, split = Greedy(make_model()), make_split()
    before = snapshot(trainer.model)
    with pytest.raises(MemoryError, match="Gen0 on 20 images"):
        trainer.fit(split, epochs=1, batch_size=20, checkpoint_dir=tmp_path / "new")
    assert_unchanged(trainer.model, before)
    assert trainer.model.normalization is None
    assert not (tmp_path / "new").exists()


def test_wrong_sizes_are_named(make_model):
    model = make_model()
    gen0 = skd.Gen0(model)
    for call, error in (
        (lambda: gen0.step_memory(0), ValueError),
        (lambda: gen0.step_memory(2**62), ValueError),
        (lambda: gen0.step_memory("8"), TypeError),
        (lambda: gen0.require_memory(8, -1), ValueError),
        (lambda: model.evaluation_memory(-1), ValueError),
        (lambda: model.evaluation_memory(2**62), ValueError),
    ):
        with pytest.raises(error, match=r"must be"):
            call()


def test_available_memory_is_positive_and_gives_way():
    assert 0 < skd.available_memory() < 2**60


@pytest.mark.parametrize("seed", [0])
def test_objects_made_and_freed_in_any_order_leave_nothing_behind(seed):
    run_lifetimes.run(150, seed)
