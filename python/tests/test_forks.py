"""Children that are forked while other threads are anywhere in the library."""

import hashlib
import os
import threading

import numpy as np
import pytest
from forked import in_child

import skd

FORKS = 20
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")


def fingerprint(make_model, batch):
    """Train, evaluate and clone a new model; return the hash of what comes out."""
    trainer = skd.Gen0(make_model(seed=1))
    trainer.step(*batch)
    outputs = trainer.model.clone().embed(batch[0]), skd.ops.leaky_relu(batch[0])
    return hashlib.sha256(b"".join(map(bytes, outputs))).hexdigest()


def attempts(trainer, batch):
    """Use what the parent's threads use; return what is refused otherwise than for the fork."""
    model, wrong = trainer.model, []
    for call in (
        lambda: trainer.step(*batch),
        lambda: trainer.steps_taken,
        trainer.snapshot,
        trainer.gradients,
        model.snapshot,
        model.clone,
        lambda: model.embed(batch[0]),
        lambda: model.load_state_dict(model.state_dict()),
    ):
        try:
            call()
        except ValueError as error:
            if "fork" not in str(error):
                wrong.append(str(error))
    return wrong


def test_a_child_computes_whenever_it_was_forked(make_model, make_split, batch):
    trainer, split, ended = skd.Gen0(make_model()), make_split(), threading.Event()
    model, expected = trainer.model, fingerprint(make_model, batch)

    def clone():
        copy = model.clone()
        copy.load_state_dict(copy.state_dict())
        make_model(seed=3)

    def repeat(work):
        while not ended.is_set():
            work()

    threads = [
        threading.Thread(target=repeat, args=(work,))
        for work in (
            lambda: trainer.step(*batch),
            lambda: skd.evaluate(model, split, n_query=5, n_episodes=2),
            clone,
            lambda: skd.augment(split.images, seed=0),
        )
    ]
    for thread in threads:
        thread.start()
    try:
        for _ in range(FORKS):
            child = in_child(lambda: (fingerprint(make_model, batch), attempts(trainer, batch)))
            assert child == (expected, [])
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def test_a_step_whose_term_forks_ends_in_both_processes(make_model, batch):
    forked = []

    def term(rows, labels, views):
        if not forked:
            forked.append(os.fork())
        return 0.0, np.zeros_like(rows)

    trainer = skd.Supervised(make_model(), terms=[skd.Term("forks", term)])
    reader, writer = os.pipe()
    try:
        trainer.step(*batch)
        state = hashlib.sha256(b"".join(map(bytes, trainer.snapshot()[0].values()))).digest()
        if not forked[0]:
            os.write(writer, state)
    finally:
        if forked == [0]:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        assert pipe.read() == state
    assert os.waitpid(forked[0], 0)[1] == 0
