"""The folder of a run: what is in it, and whether it is the run that is wanted."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from skd import _validation as check
from skd._files.atomic import write_atomically
from skd._files.changes import make_folder, remove_file
from skd.distributed.differences import differences
from skd.recipes._schema import Recipe

CONFIG, MODEL, REPORT, HISTORY = "config.toml", "model.safetensors", "report.json", "history.csv"
UNREADABLE = "unreadable.txt"
CHECKPOINT = re.compile(r"step-(\d+)\.safetensors")
#: Tables and entries that decide nothing of the training.
IDLE = ("name", "title", "expected", "evaluation")


class RunFolder:
    """Names of what a run leaves.

    Parameters
    ----------
    path : Path
        The folder; it need not be there.
    """

    def __init__(self, path: Path) -> None:
        path = self.path = check.path(path, "path", "RunFolder")
        self.config, self.history = path / CONFIG, path / HISTORY
        self.model, self.report = path / MODEL, path / REPORT
        self.checkpoints, self.plots = path / "checkpoints", path / "plots"
        self.tensorboard, self.evaluations = path / "tensorboard", path / "evaluations"
        self.unreadable = path / UNREADABLE

    @property
    def is_started(self) -> bool:
        """Whether a run has begun here."""
        return self.config.exists()

    @property
    def is_finished(self) -> bool:
        """Whether a run has ended here: the report is written last."""
        return self.report.exists()

    @property
    def steps_done(self) -> int:
        """Steps that the newest checkpoint has taken."""
        if not self.checkpoints.is_dir():
            return 0
        found = (CHECKPOINT.fullmatch(path.name) for path in self.checkpoints.iterdir())
        return max((int(match[1]) for match in found if match), default=0)

    def require_same_run(self, recipe: Recipe, *, may_be_longer: bool) -> None:
        """Refuse a run of other training; `fit` decides whether it may be made longer.

        Parameters
        ----------
        recipe : Recipe
            What is wanted.
        may_be_longer : bool
            Whether another number of epochs is let through.

        Raises
        ------
        ValueError
            With what differs, or if ``config.toml`` is damaged.
        """
        check.instance(recipe, "recipe", "RunFolder.require_same_run", Recipe)
        check.boolean(may_be_longer, "may_be_longer", "RunFolder.require_same_run")
        try:
            saved = tomllib.loads(self.config.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:  # of TOML, its text, or a long number
            got = f"{str(self.config)!r} ({error})"
            check.refuse("folder", "a run", "one with a whole config.toml", got)
        before, wanted = _deciding(saved), _deciding(recipe.to_table())
        if may_be_longer:
            before["schedule.epochs"] = wanted["schedule.epochs"]
        different = differences(before, wanted)
        if different:
            legal = f"that of {str(self.path)!r}, or have another folder"
            check.refuse("recipe", "a run", legal, "; ".join(different))

    def begin(self, recipe: Recipe) -> None:
        """Make the folder and write the resolved recipe.

        Parameters
        ----------
        recipe : Recipe
            What is run.
        """
        check.instance(recipe, "recipe", "RunFolder.begin", Recipe)
        for folder in (self.path, self.checkpoints, self.plots, self.evaluations):
            make_folder(folder)
        remove_file(self.report)
        write_atomically(self.config, recipe.to_toml().encode())

    def list_unreadable(self, entries: Sequence[str]) -> None:
        """Write the files of the data that were left out, one in a line; none if there are none.

        Parameters
        ----------
        entries : sequence of str
            Each with the reason; see `FewShotData.unreadable`.
        """
        lines = [
            " ".join(entry.splitlines()) + "\n"
            for entry in check.names(entries, "entries", "RunFolder.list_unreadable")
        ]
        if not lines:
            remove_file(self.unreadable)
            return
        write_atomically(self.unreadable, "".join(lines).encode())

    def write_report(self, report: Mapping[str, Any]) -> None:
        """Write the report: a run is finished when it is there.

        Parameters
        ----------
        report : mapping
            What ``report.json`` is to hold.
        """
        owner = "RunFolder.write_report"
        legal = "a mapping of texts, finite numbers, lists and the like"
        if not isinstance(report, Mapping):
            check.refuse("report", owner, legal, check.shown(report), TypeError)
        try:
            text = json.dumps(report, indent=2, allow_nan=False) + "\n"
        except (TypeError, ValueError) as error:
            check.refuse("report", owner, legal, str(error))
        write_atomically(self.report, text.encode())


def _deciding(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries that decide the bits of the model, under their names with dots."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if key in IDLE:
            continue
        inner = value if isinstance(value, Mapping) else {"": value}
        flat.update({f"{key}.{name}".rstrip("."): entry for name, entry in inner.items()})
    flat.pop("data.root", None)  # where the files are kept decides nothing
    return flat
