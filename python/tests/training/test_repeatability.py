"""The same bits on every run: threads, prefetching, own loops, several models at once."""

import multiprocessing
import threading
from dataclasses import replace

import numpy as np
import pytest
import run_fit

import skd

# Both algorithms of convolutions take part: Winograd in the first block, GEMM in the last.
SHAPE = (6, 32, 32, 3)
WIDTHS = (32, 32, 32, 32)


@pytest.fixture
def with_threads():
    """Return `skd.set_num_threads`, undone after the test."""
    before = skd.get_num_threads()
    yield skd.set_num_threads
    skd.set_num_threads(before)


def make_trainer(make_model, generation, seed=0):
    model = make_model(image_size=32, widths=WIDTHS, seed=seed)
    if generation == 0:
        return skd.Gen0(model, seed=7)
    student = make_model(image_size=32, widths=WIDTHS, seed=seed + 1)
    return skd.Gen1(student, model, twin_rotations=(90, 180), seed=7)


def train(trainer, steps, seed=0):
    """Take steps on random images; return the SHA-256 of all state."""
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        trainer.step(rng.standard_normal(SHAPE), rng.integers(0, 5, SHAPE[0]))
    return run_fit.digest(trainer, [])


@pytest.mark.parametrize("views", [3, 4])  # of a batch: Gen-1's here, and Gen-0's
def test_the_first_block_goes_by_winograd_and_the_last_by_gemm(views):
    batch, height, width = views * SHAPE[0], *SHAPE[1:3]
    first = skd.profiling.ConvolutionShape(batch, height, width, 32, 32, kernel_size=3, padding=1)
    last = replace(first, height=height // 8, width=width // 8)
    assert (first.algorithm, last.algorithm) == ("winograd", "gemm")


@pytest.mark.parametrize("generation", [0, 1])
def test_twenty_steps_give_the_same_bits_on_every_run_and_for_1_2_3_threads(
    make_model, with_threads, generation
):
    digests = set()
    for count in (1, 2, 3, 1, 2, 3):
        with_threads(count)
        digests.add(train(make_trainer(make_model, generation), steps=20))
    assert len(digests) == 1


@pytest.mark.parametrize("generation", [0, 1])
def test_sixteen_threads_give_the_bits_of_one(make_model, with_threads, generation):
    digests = set()
    for count in (1, 16):
        with_threads(count)
        digests.add(train(make_trainer(make_model, generation), steps=3))
    assert len(digests) == 1


def test_prefetching_changes_no_bit():
    digests = []
    for prefetch in (True, False):
        trainer = run_fit.make_trainer()
        history = run_fit.fit(trainer, None, epochs=2, prefetch=prefetch)
        digests.append(run_fit.digest(trainer, history))
    assert digests[0] == digests[1]


def test_a_loop_of_steps_gives_the_bits_of_fit(make_model, make_split):
    split = make_split()
    fitted, stepped = skd.Gen0(make_model(), seed=3), skd.Gen0(make_model(), seed=3)
    fitted.fit(split, epochs=2, batch_size=30, decay_epochs=[1], seed=4, progress=False)
    for epoch in (1, 2):
        stepped.learning_rate = skd.step_lr(epoch, base=0.05, decay_epochs=[1])
        order = skd.epoch_order(len(split), seed=4, epoch=epoch)
        for positions in order[:90].reshape(3, 30):
            images = skd.augment(
                split.images,
                seed=4,
                epoch=epoch,
                positions=positions,
                mean=split.mean,
                std=split.std,
            )
            stepped.step(images, split.labels[positions])
    assert run_fit.digest(stepped, []) == run_fit.digest(fitted, [])


def test_saved_models_of_equal_state_are_equal_files(make_model, tmp_path):
    for name in ("a", "b"):
        make_model(seed=1).save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_two_models_trained_at_once_get_the_bits_of_one_after_the_other(make_model, with_threads):
    with_threads(2)
    alone = [train(make_trainer(make_model, 0, seed), steps=8, seed=seed) for seed in (1, 2)]
    together = [None, None]

    def work(place, seed):
        together[place] = train(make_trainer(make_model, 0, seed), steps=8, seed=seed)

    threads = [threading.Thread(target=work, args=(place, place + 1)) for place in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone


def test_a_model_and_its_trainer_may_be_dropped_while_a_thread_trains(make_model):
    expected = train(make_trainer(make_model, 1), steps=8)
    trainer, digests = make_trainer(make_model, 1), []
    handed = [trainer]
    thread = threading.Thread(target=lambda: digests.append(train(handed.pop(), steps=8)))
    thread.start()
    views = trainer.model.state_dict()
    del trainer
    thread.join()
    assert digests == [expected]
    assert np.isfinite(views["classifier.weight"]).all()


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2)])
def test_objects_may_be_freed_in_any_order(make_model, order):
    trainer = make_trainer(make_model, 1)
    train(trainer, steps=1)
    things = [trainer, trainer.model, trainer.teacher, trainer.gradients()]
    velocities = trainer.state_dict()
    del trainer
    for place in order:
        things[place] = None
    assert all(np.isfinite(view).all() for view in velocities.values())


# --- children of a fork

needs_fork = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
CHILD_SECONDS = 60


def in_child(work, *arguments):
    """Return what `work` returns in a forked child."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=lambda: sender.send(work(*arguments)))
    child.start()
    try:
        assert receiver.poll(CHILD_SECONDS), "the child hangs"
        return receiver.recv()
    finally:
        child.kill()
        child.join()


@needs_fork
def test_a_forked_child_trains_on_while_the_parent_s_threads_wait(make_model, with_threads):
    with_threads(3)
    reference, trainer = (make_trainer(make_model, 0) for _ in range(2))
    train(reference, steps=2)
    train(trainer, steps=2)
    assert in_child(train, trainer, 3) == train(reference, steps=3)


@needs_fork
def test_a_child_forked_during_a_step_of_another_thread_can_compute(make_model, with_threads):
    with_threads(3)
    expected = train(make_trainer(make_model, 0), steps=3)
    busy, ended = make_trainer(make_model, 0, seed=5), threading.Event()

    def work():
        while not ended.is_set():
            train(busy, steps=1)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for _ in range(5):
            assert in_child(lambda: train(make_trainer(make_model, 0), steps=3)) == expected
            # What was half-way through a step is refused, or was between two and works.
            assert in_child(attempt, busy) in ("refused", "trained")
    finally:
        ended.set()
        thread.join()


def attempt(trainer):
    """Train; tell what came of it."""
    try:
        train(trainer, steps=1)
    except ValueError as error:
        return "refused" if "fork" in str(error) else str(error)
    return "trained"
