"""The folder of a run: its files, and comparison with a recipe."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from skd import _validation as check
from skd._files.atomic import write_atomically
from skd._files.changes import make_folder, remove_file
from skd.distributed.differences import differences
from skd.models.checkpoint import RUN_MODEL
from skd.recipes._schema import Recipe
from skd.training import newest_step

CONFIG, REPORT, HISTORY = "config.toml", "report.json", "history.csv"
UNREADABLE = "unreadable.txt"
#: Tables and entries that do not affect the training.
IDLE = ("name", "title", "expected", "measured", "evaluation")


class RunFolder:
    """Paths of the files of a run.

    Parameters
    ----------
    path : Path
        Folder of the run; it need not exist.
    """

    def __init__(self, path: Path) -> None:
        path = self.path = check.path(path, "path", "RunFolder")
        self.config, self.history = path / CONFIG, path / HISTORY
        self.model, self.report = path / RUN_MODEL, path / REPORT
        self.checkpoints, self.plots = path / "checkpoints", path / "plots"
        self.tensorboard, self.evaluations = path / "tensorboard", path / "evaluations"
        self.unreadable = path / UNREADABLE

    @property
    def is_started(self) -> bool:
        """Whether a run was started here."""
        return self.config.exists()

    @property
    def is_finished(self) -> bool:
        """Whether a run is finished here; the report is written last."""
        return self.report.exists()

    @property
    def steps_done(self) -> int:
        """Number of steps of the newest checkpoint."""
        return newest_step(self.checkpoints)

    def require_same_run(self, recipe: Recipe, *, may_be_longer: bool) -> None:
        """Refuse a run with another training; `fit` checks whether it may be extended.

        Parameters
        ----------
        recipe : Recipe
            Recipe to compare with the folder.
        may_be_longer : bool
            Whether the number of epochs may differ.

        Raises
        ------
        ValueError
            If entries differ, which the message names, or ``config.toml`` is damaged.
        """
        check.instance(recipe, "recipe", "RunFolder.require_same_run", Recipe)
        check.boolean(may_be_longer, "may_be_longer", "RunFolder.require_same_run")
        try:
            saved = tomllib.loads(self.config.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:  # of TOML, its encoding, or a long number
            got = f"{str(self.config)!r} ({error})"
            check.refuse("folder", "a run", "one with a whole config.toml", got)
        before, wanted = _deciding(saved), _deciding(recipe.to_table())
        if may_be_longer:
            before["schedule.epochs"] = wanted["schedule.epochs"]
        different = differences(before, wanted)
        if different:
            legal = f"the recipe of {str(self.path)!r}, or have another folder"
            check.refuse("recipe", "a run", legal, "; ".join(different))

    def begin(self, recipe: Recipe) -> None:
        """Create the folder and write the resolved recipe.

        Parameters
        ----------
        recipe : Recipe
            Recipe of the run.
        """
        check.instance(recipe, "recipe", "RunFolder.begin", Recipe)
        for folder in (self.path, self.checkpoints, self.plots, self.evaluations):
            make_folder(folder)
        remove_file(self.report)
        write_atomically(self.config, recipe.to_toml().encode())

    def list_unreadable(self, entries: Sequence[str]) -> None:
        """List the files of the data that were left out, one per line, if there are any.

        Parameters
        ----------
        entries : sequence of str
            Files with their reasons; see `FewShotData.unreadable`.
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
        """Write the report, which marks the run as finished.

        Parameters
        ----------
        report : mapping
            Content of ``report.json``.
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
    """Return the entries that decide the bits of the model, with dotted names."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if key in IDLE:
            continue
        inner = value if isinstance(value, Mapping) else {"": value}
        flat.update({f"{key}.{name}".rstrip("."): entry for name, entry in inner.items()})
    flat.pop("data.root", None)  # the place of the files has no effect
    return flat
