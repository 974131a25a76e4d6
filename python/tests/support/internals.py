"""Changes to the package from the inside, for tests of what users cannot provoke at will."""

import skd.training._loop
from skd._files.checksummed import checksummed_bytes, verified_content


def replace_validation(monkeypatch, evaluate):
    """Let `fit` validate by another function."""
    monkeypatch.setattr(skd.training._loop, "evaluate", evaluate)


def lose_patience(monkeypatch):
    """Take the second of two signals for a user's, however soon it comes."""
    monkeypatch.setattr("skd.training._signals.PATIENCE_SECONDS", 0.0)


def skip_estimate(monkeypatch):
    """Let commands begin a run without the steps of its estimate."""
    monkeypatch.setattr("skd.cli._run.estimate", lambda run: None)
    monkeypatch.setattr("skd.cli._run.estimate_lines", lambda expected, processes: [])


def replace_trackers(monkeypatch, **trackers):
    """Let `skd train` log by other classes than those of the trackers."""
    for name, tracker in trackers.items():
        monkeypatch.setattr(f"skd.cli._train.{name}", tracker)


def change_checkpoint(path, change):
    """Replace the state in a checkpoint by ``change(state)``, under a right checksum."""
    metadata, state = verified_content(path.read_bytes(), requires_checksum=True)
    path.write_bytes(checksummed_bytes(change(state), metadata))
