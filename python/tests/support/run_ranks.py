"""What the tests of distributed training run in each rank: ``run_ranks.py JOB FOLDER``.

A job leaves its result in the folder, written by the first rank. Without MPI the same functions
compute what one process would.
"""

import hashlib
import json
import os
import signal
import sys
from pathlib import Path

import numpy as np
from run_fit import make_split

import skd

BATCH = 8
STEPS = {"gen0": 20}  # of the others, fewer show as much
FEW_STEPS = 6
LATE = 50_000  # steps after which DropBlock is at its full rate


def make_model(seed=1, architecture="resnet12"):
    return skd.create_model(
        architecture, num_classes=4, image_size=16, widths=(4, 4, 5, 8), drop_rate=0.2, seed=seed
    )


def make_trainer(objective, communicator=None, term=None, **options):
    model, teacher = make_model(), make_model(seed=2)
    shared = {"optimizer": skd.SGD(lr=0.01), "seed": 3, "communicator": communicator, **options}
    if objective == "gen0":
        trainer = skd.Gen0(model, **shared)
    elif objective == "gen1":
        trainer = skd.Gen1(model, teacher, beta=0.3, twin_rotations=(90, 180), **shared)
    elif objective == "distilled":
        trainer = skd.Distilled(model, teacher, **shared)
    else:
        trainer = skd.Supervised(model, terms=[skd.Term("size", term or size)], **shared)
    trainer.load_state_dict({**trainer.state_dict(), "step": LATE})
    return trainer


def size(rows, labels, views):
    """Return half the mean square of the rows, and its gradient."""
    return float((rows**2).sum(axis=1).mean() / 2), rows / len(rows)


OBJECTIVES = ("gen0", "gen1", "distilled", "supervised")


def batch(step):
    rng = np.random.default_rng(step)
    images = rng.standard_normal((BATCH, 16, 16, 3)).astype(np.float32)
    return images, np.arange(BATCH) % 4


def own(communicator, count=BATCH):
    if communicator is None:
        return slice(None)
    rank, ranks = communicator.rank, communicator.size
    return slice(count * rank // ranks, count * (rank + 1) // ranks)


def state(trainer):
    """Return all state, under one name each."""
    model = {f"model.{name}": view.copy() for name, view in trainer.model.state_dict().items()}
    return model | {name: np.array(view) for name, view in trainer.state_dict().items()}


def digest(arrays):
    sha = hashlib.sha256()
    for name in sorted(arrays):
        sha.update(name.encode() + np.ascontiguousarray(arrays[name]).tobytes())
    return sha.hexdigest()


def train(objective, communicator=None, **options):
    """Take some steps; return the losses of each, and all state at the end."""
    trainer, losses = make_trainer(objective, communicator, **options), []
    for step in range(STEPS.get(objective, FEW_STEPS)):
        images, labels = batch(step)
        part = own(communicator)
        done = trainer.step(images[part], labels[part])
        losses.append([*done, *done.terms.values()])
    return losses, state(trainer)


def fit(communicator=None, folder=None, objective="gen0", term=None, **options):
    trainer = make_trainer(objective, communicator, term)
    history = trainer.fit(
        make_split(4, 10, seed=3),
        **{
            "epochs": 3,
            "batch_size": BATCH,
            "padding": 2,
            "seed": 5,
            "val": make_split(3, 4, seed=4),
            "val_every": 2,
            "progress": False,
            "checkpoint_dir": folder,
            **options,
        },
    )
    return [list(record.losses) for record in history], state(trainer), history


def evaluate(communicator=None, folder=None, **options):
    model = make_model()
    episodes = None if folder is None else Path(folder) / "episodes.safetensors"
    return skd.evaluate(
        model,
        make_split(5, 9, seed=6),
        **{
            "n_way": 3,
            "n_query": 4,
            "n_episodes": 11,
            "n_support_copies": 3,
            "episodes_file": episodes,
            "communicator": communicator,
            **options,
        },
    )


def job_steps(communicator, folder):
    """All objectives, with statistics over all ranks and, for one, over each."""
    results = {name: train(name, communicator) for name in OBJECTIVES}
    results["apart"] = train("gen0", communicator, sync_batch_norm=False)
    digests = communicator.allgather({name: digest(s) for name, (_, s) in results.items()})
    if communicator.rank == 0:
        for name, (_, arrays) in results.items():
            np.savez(folder / f"{name}.npz", **arrays)
    return {"losses": {name: losses for name, (losses, _) in results.items()}, "digests": digests}


def job_fit(communicator, folder):
    """A whole fit; one that is broken off after two epochs; evaluations."""
    losses, arrays, _ = fit(communicator, folder / "whole")
    fit(communicator, folder / "broken", epochs=2)
    reports = [
        evaluate(communicator, folder),
        evaluate(communicator, n_support_copies=1, support_augmentation="none"),
    ]
    apart = make_trainer("gen0", communicator, sync_batch_norm=False)
    split = make_split(4, 10, seed=3)
    apart.fit(split, epochs=1, batch_size=BATCH, padding=2, progress=False)
    digests = communicator.allgather([digest(arrays), digest(state(apart))])
    if communicator.rank == 0:
        np.savez(folder / "fit.npz", **arrays)
    accuracies = [report.accuracies.tolist() for report in reports]
    same = communicator.allgather(accuracies)
    return {
        "losses": losses,
        "digests": digests,
        "reports": [report.to_json() for report in reports],
        "same": all(entry == accuracies for entry in same),
    }


def job_resume(communicator, folder):
    """Go on from the checkpoints that another number of ranks left."""
    losses, arrays, _ = fit(communicator, folder / "broken", resume=True)
    if communicator.rank == 0:
        np.savez(folder / "resumed.npz", **arrays)
    return {"losses": losses, "digests": communicator.allgather(digest(arrays))}


def job_stopped(communicator, folder):
    """A signal to one rank in its third step ends the fit in all, after that step."""
    calls = 0

    def stopping(rows, labels, views):
        nonlocal calls
        calls += 1
        if communicator.rank == 1 and calls == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return size(rows, labels, views)

    fit(communicator, folder / "stopped", "supervised", stopping)


def job_early(communicator, folder):
    """A callback of one rank, not the first, ends the fit of all after its second epoch."""

    class Stopper(skd.callbacks.Callback):
        def on_epoch(self, record):
            self.should_stop = record.epoch == 2

    callbacks = [Stopper()] if communicator.rank == 1 else []
    return communicator.allgather(len(fit(communicator, epochs=5, callbacks=callbacks)[2]))


def job_refusals(communicator, folder):
    """What fails in one rank or in all, and can be caught in all."""

    def failing(rows, labels, views):
        if communicator.rank == 1:
            raise ZeroDivisionError("only here")
        return size(rows, labels, views)

    def infinite(rows, labels, views):
        return (float("inf") if communicator.rank == 1 else 1.0), np.zeros_like(rows)

    def attempt(call):
        try:
            call()
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return "nothing"

    images, labels = batch(0)
    part = own(communicator)
    found = {}
    for name, function in (("failing", failing), ("infinite", infinite)):
        trainer = skd.Supervised(
            make_model(), terms=[skd.Term(name, function)], communicator=communicator
        )
        before = digest(state(trainer))
        found[name] = attempt(lambda trainer=trainer: trainer.step(images[part], labels[part]))
        found[name + " changed"] = digest(state(trainer)) != before
    trainer = make_trainer("gen0", communicator)
    own_labels = labels[part] if communicator.rank == 0 else labels
    found["lengths"] = attempt(lambda: trainer.step(images[part], own_labels))
    seed = 1 + communicator.rank
    found["models"] = attempt(lambda: skd.Gen0(make_model(seed=seed), communicator=communicator))
    found["options"] = attempt(lambda: fit(communicator, seed=seed))
    found["few"] = attempt(lambda: fit(communicator, batch_size=1))
    unwritable = folder / "file" / "below"
    if communicator.rank == 0:
        (folder / "file").write_text("no folder")
    found["folder"] = attempt(lambda: fit(communicator, unwritable))
    found["data"] = attempt(lambda: evaluate(communicator, seed=communicator.rank))
    found["still works"] = attempt(lambda: trainer.step(images[part], labels[part]))
    return communicator.gather(found, root=0)


def job_lost(communicator, folder):
    """One rank fails where the others cannot know of it."""
    trainer = make_trainer("gen0", communicator)
    if communicator.rank == 1:
        trainer.ranks._sum = None  # what the library calls raises
    images, labels = batch(0)
    trainer.step(images[own(communicator)], labels[own(communicator)])


def job_script(communicator, folder):
    """A script fails outside of skd in one rank."""
    with skd.distributed.abort_on_error(communicator):
        if communicator.rank == 1:
            raise RuntimeError("a mistake of the script")
        communicator.Barrier()


def main(job, folder):
    communicator = skd.distributed.launched_communicator()
    skd.set_num_threads(1)
    result = globals()[f"job_{job}"](communicator, Path(folder))
    if communicator.rank == 0:
        (Path(folder) / f"{job}.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
