"""A tiny `fit` that a test may kill: ``run_fit.py FOLDER [THREADS [EPOCHS]]``.

Goes on from the checkpoints of the folder, and prints the SHA-256 of all state and of the history
but its times. Prints "training" when the first step is about to begin.
"""

import hashlib
import sys

import numpy as np

import skd
from skd.callbacks import Callback


class OnEpoch(Callback):
    """Calls a function with the record of each epoch."""

    def __init__(self, function):
        self.on_epoch = function


def make_split(num_classes, per_class, seed):
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(num_classes), per_class)
    images = rng.integers(0, 256, (len(labels), 16, 16, 3), dtype=np.uint8)
    images[..., 0] += labels.astype(np.uint8)[:, None, None] * 40
    return skd.datasets.from_arrays(images, labels)


def make_trainer():
    model = skd.create_model("resnet12", num_classes=4, image_size=16, widths=(4, 4, 8, 8), seed=1)
    return skd.Gen0(model, optimizer=skd.SGD(lr=0.02), seed=2)


def digest(trainer, history):
    """Return the SHA-256 of everything a run leaves, but its times."""
    sha = hashlib.sha256()
    for state in (trainer.model.state_dict(), trainer.state_dict()):
        for name, array in state.items():
            sha.update(name.encode() + np.ascontiguousarray(array).tobytes())
    for record in history:
        validation = record.validation
        sha.update(repr((record.epoch, record.learning_rate, tuple(record.losses))).encode())
        if validation is not None:
            sha.update(repr((validation.mean, validation.ci95, validation.options)).encode())
            sha.update(validation.accuracies.tobytes())
    return sha.hexdigest()


def fit(trainer, folder, *, epochs=4, **options):
    """Run the fit, in `folder` or without checkpoints if that is None."""
    kept = (
        {} if folder is None else {"checkpoint_dir": folder, "save_every_steps": 2, "resume": True}
    )
    return trainer.fit(
        make_split(4, 10, seed=3),
        **{
            "epochs": epochs,
            "decay_epochs": [2],
            "batch_size": 8,
            "padding": 2,
            "seed": 5,
            "val": make_split(3, 4, seed=4),
            "val_every": 2,
            "progress": False,
            **kept,
            **options,
        },
    )


def main(folder, threads="1", epochs="4"):
    skd.set_num_threads(int(threads))
    trainer = make_trainer()
    print("training", flush=True)
    history = fit(trainer, folder, epochs=int(epochs))
    print(digest(trainer, history), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
