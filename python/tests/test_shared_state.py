"""Models and trainers that several threads share: whatever is read is of one state."""

import threading
from contextlib import contextmanager

import numpy as np
import pytest

import skd

SHAPE = (16, 16, 16, 3)


@contextmanager
def training(trainer, steps=8):
    """Take steps in another thread; yield the states that they leave, and the event of the end."""
    states, ended = [trainer.snapshot()], threading.Event()

    def train():
        rng = np.random.default_rng(1)
        for _ in range(steps):
            trainer.step(rng.standard_normal(SHAPE, dtype=np.float32), np.arange(16) % 5)
            states.append(trainer.snapshot())
        ended.set()

    thread = threading.Thread(target=train)
    thread.start()
    try:
        yield states, ended
    finally:
        thread.join()


def read_until(ended, read):
    """Return what was read again and again, at least twice, while something else is at work."""
    results = [read()]
    while not ended.is_set() or len(results) < 2:
        results.append(read())
    return results


def equal(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


@pytest.fixture
def trainer(make_model):
    return skd.Supervised(make_model(widths=(16, 16, 32, 32)), optimizer=skd.SGD(lr=0.01))


def saved(trainer, folder):
    path = folder / f"{threading.get_ident()}.safetensors"
    trainer.model.save(path)
    return skd.load_model(path).state_dict()


def classified(trainer, folder):
    classifier = skd.FewShotClassifier(trainer.model)
    classifier.fit(np.zeros((2, *SHAPE[1:]), np.float32), ["a", "b"])
    classifier.save(folder / "classifier.safetensors")
    restored = skd.FewShotClassifier.load(folder / "classifier.safetensors")
    return restored.model.state_dict()


STATES = {
    "clone": lambda trainer, folder: trainer.model.clone().state_dict(),
    "snapshot": lambda trainer, folder: trainer.model.snapshot(),
    "save": saved,
    "FewShotClassifier.save": classified,
}


@pytest.mark.parametrize("name", STATES)
def test_a_state_read_during_training_is_that_after_some_step(trainer, tmp_path, name):
    with training(trainer) as (states, ended):
        results = read_until(ended, lambda: STATES[name](trainer, tmp_path))
    assert all(any(equal(result, model) for model, _ in states) for result in results)


def test_a_snapshot_of_a_trainer_is_of_one_step(trainer):
    with training(trainer) as (states, ended):
        results = read_until(ended, trainer.snapshot)
    for model, own in results:
        step = int(own["step"])
        assert equal(model, states[step][0])
        assert equal(own, states[step][1])


IMAGES = np.random.default_rng(2).standard_normal((70, *SHAPE[1:]), dtype=np.float32)  # 2 chunks
OUTPUTS = {
    "embed": lambda model: model.embed(IMAGES),
    "logits": lambda model: model.logits(IMAGES),
    "rotation_logits": lambda model: model.rotation_logits(IMAGES),
    "stage_outputs": lambda model: model.stage_outputs(IMAGES)[-1],
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_all_images_of_a_call_during_training_see_one_state(trainer, make_model, name):
    compute = OUTPUTS[name]
    with training(trainer) as (states, ended):
        results = read_until(ended, lambda: compute(trainer.model))
    model, expected = trainer.model.clone(), []
    for state, _ in states:
        model.load_state_dict(state)
        expected.append(compute(model))
    assert all(any(np.array_equal(result, one) for one in expected) for result in results)


def test_an_evaluation_during_training_is_of_the_state_that_it_names(trainer, make_split):
    split = make_split()

    def evaluate(model):
        return skd.evaluate(model, split, n_query=5, n_episodes=10)

    with training(trainer) as (states, ended):
        results = read_until(ended, lambda: evaluate(trainer.model))
    model, expected = trainer.model.clone(), {}
    for state, _ in states:
        model.load_state_dict(state)
        result = evaluate(model)
        expected[result.provenance["model"]["sha256"]] = result.accuracies
    for result in results:
        named = expected[result.provenance["model"]["sha256"]]
        np.testing.assert_array_equal(result.accuracies, named)


def test_a_state_loaded_during_training_is_loaded_whole(trainer):
    model = trainer.model
    with training(trainer) as (states, ended):
        # Between two steps, the model's own views leave it as it is.
        read_until(ended, lambda: model.load_state_dict(model.state_dict()))
    alone = skd.Supervised(model.clone(), optimizer=skd.SGD(lr=0.01))
    alone.model.load_state_dict(states[0][0])
    with training(alone) as (expected, _):
        pass
    assert equal(states[-1][0], expected[-1][0])


@pytest.mark.parametrize("order", ["swapped", "reversed"])
def test_views_may_be_loaded_under_other_names(trainer, batch, order):
    trainer.step(*batch)
    vectors = [
        name
        for name, view in trainer.model.state_dict().items()
        if view.shape == (32,) and not name.endswith("running_var")
    ]
    places = dict(zip(vectors, vectors[::-1], strict=True))
    if order == "swapped":
        places = {vectors[0]: vectors[1], vectors[1]: vectors[0]}
    for holder, prefix in ((trainer.model, ""), (trainer, "velocity.")):
        named = {prefix + to: prefix + place for to, place in places.items()}
        views = dict(holder.state_dict())
        before = {name: view.copy() for name, view in views.items()}
        moved = {to: views[place] for to, place in named.items() if place in views and to in views}
        holder.load_state_dict({**views, **moved})
        for name, view in holder.state_dict().items():
            expected = before[named[name] if name in moved else name]
            np.testing.assert_array_equal(view, expected, name)


def test_a_term_may_read_the_state_of_its_step(trainer, batch, tmp_path):
    model, seen = trainer.model, []

    def term(rows, labels, views):
        model.save(tmp_path / "model.safetensors")
        seen.append((model.snapshot(), skd.load_model(tmp_path / "model.safetensors").state_dict()))
        return 0.0, np.zeros_like(rows)

    watched = skd.Supervised(model, terms=[skd.Term("reader", term)])
    for step in range(2):
        before = model.snapshot()
        watched.step(*batch)
        assert all(equal(state, before) for state in seen[step])


@pytest.mark.parametrize(
    ("owner", "call"),
    [
        ("Supervised.steps_taken", lambda trainer, batch: trainer.steps_taken),
        ("Supervised.gradients", lambda trainer, batch: trainer.gradients()),
        ("Supervised.step", lambda trainer, batch: trainer.step(*batch)),
        ("Supervised.loss", lambda trainer, batch: trainer.loss(*batch)),
        ("Supervised.state_dict", lambda trainer, batch: trainer.state_dict()),
        ("Supervised.snapshot", lambda trainer, batch: trainer.snapshot()),
        ("Supervised.load_state_dict", lambda trainer, batch: trainer.load_state_dict({})),
        ("Supervised.require_memory", lambda trainer, batch: trainer.require_memory(8)),
        ("Supervised", lambda trainer, batch: setattr(trainer, "learning_rate", 0.5)),
        ("Model.clone", lambda trainer, batch: trainer.model.clone()),
        ("Model.embed", lambda trainer, batch: trainer.model.embed(batch[0])),
        ("Model.stage_outputs", lambda trainer, batch: trainer.model.stage_outputs(batch[0])),
        (
            "Model.load_state_dict",
            lambda trainer, batch: trainer.model.load_state_dict(trainer.model.state_dict()),
        ),
    ],
)
def test_a_term_that_calls_back_into_its_step_is_refused(make_model, batch, owner, call):
    def term(rows, labels, views):
        with pytest.raises(ValueError, match=f"^The 'self' parameter of {owner} must not be one"):
            call(trainer, batch)
        return 0.0, np.zeros_like(rows)

    trainer = skd.Supervised(make_model(), terms=[skd.Term("caller", term)])
    for step in (1, 2):
        trainer.step(*batch)
        assert trainer.steps_taken == step
        assert trainer.learning_rate == 0.05
