"""Reading recipes from files, names and changes on the command line."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from os import PathLike
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from skd import _validation as check
from skd._files.kinds import START, TEXT, kind_of
from skd._refusals.similar import similar
from skd.choices import Stage
from skd.datasets.catalogue import OWN_PICTURES
from skd.recipes import _checks as checks
from skd.recipes._checks import Check
from skd.recipes._schema import (
    CHANGEABLE,
    LOSSES,
    TAUGHT,
    Data,
    Evaluation,
    Expected,
    Measured,
    Network,
    Optimizer,
    Recipe,
    Schedule,
    Teacher,
)
from skd.recipes._shipped import SUFFIX, shipped_text

Table = dict[str, Any]
Section = TypeVar("Section")

TABLES: dict[str, type] = {
    "data": Data,
    "model": Network,
    "optimizer": Optimizer,
    "schedule": Schedule,
    "evaluation": Evaluation,
}
RESULTS: dict[str, type] = {"expected": Expected, "measured": Measured}
ENTRIES = ("name", "title", "stage", "seed", "extends")
MAX_BYTES = 1 << 17
MAX_EXTENDS = 8  # length of a chain of files
MAX_NAME = 255  # characters of a name in a message
MAX_KEY = 80  # characters of an unknown key that are compared


def load(recipe: str | PathLike[str], *, changes: Iterable[str] = ()) -> Recipe:
    """Read a recipe.

    Parameters
    ----------
    recipe : str or path
        Name of a recipe of the package, such as "gen0-cifar-fs", or a TOML file.
    changes : iterable of str, default=()
        Changes ``"TABLE.KEY=VALUE"``, such as ``"schedule.epochs=10"``; the value is written as in
        TOML, but text may lack quotes.

    Returns
    -------
    recipe : Recipe
        Recipe with every default filled in.

    Raises
    ------
    FileNotFoundError
        If there is neither a file nor a recipe of that name; the message names a similar one.
    ValueError
        If the file is not TOML, a key is unknown (the message names a similar one) or missing, or
        a value is not legal.

    Examples
    --------
    >>> load("gen0-cifar-fs", changes=["schedule.epochs=2"]).schedule.epochs
    2
    """
    table, name = _read(recipe)
    legal = "strings such as 'schedule.epochs=2'"
    for change in check.iterable(changes, "changes", "load", legal):
        check.instance(change, "changes", "load", str)
        _put(table, *_assignment(change))
    return from_table(table, name=name)


def from_table(table: Mapping[str, Any], *, name: str) -> Recipe:
    """Check the tables of a recipe.

    Parameters
    ----------
    table : mapping
        Tables as `tomllib` or `Recipe.to_table` returns them.
    name : str
        Name of a recipe that does not hold one.

    Returns
    -------
    recipe : Recipe
        Recipe with every default filled in.

    Raises
    ------
    ValueError
        As for `load`.
    """
    name = checks.text(table.get("name", name), "name", "a recipe")
    if Path(name).name != name or name.startswith("."):
        check.refuse("name", "a recipe", "fit for the name of a folder", repr(name))
    owner = f"recipe {name!r}"
    if "stage" not in table:
        check.refuse("stage", owner, "given", "nothing")
    stage = check.choice(table["stage"], "stage", owner, LOSSES)
    _refuse_unknown(table, stage, owner)
    sections: Table = {
        key: _section(kind, table.get(key, {}), f"{key}.", owner) for key, kind in TABLES.items()
    }
    loss = _section(LOSSES[stage], table.get("loss", {}), "loss.", owner)
    results: Table = {
        key: _section(kind, table[key], f"{key}.", owner) if key in table else None
        for key, kind in RESULTS.items()
    }
    result = Recipe(
        name=name,
        title=checks.text(table.get("title", name), "title", owner),
        stage=stage,
        seed=_checked(checks.natural, table.get("seed", 0), "seed", owner),
        loss=loss,
        teacher=_teacher(table.get("teacher"), stage, owner),
        **results,
        **sections,
    )
    _check_together(result, owner)
    return result


def _read(recipe: str | PathLike[str], depth: int = 0) -> tuple[Table, str]:
    """Return the tables of a file or a shipped recipe, over those it extends, and its name."""
    text, path = str(recipe), check.path(recipe, "recipe", "load")
    is_file = _is_file(path)
    if path.suffix == SUFFIX or is_file:
        if not is_file:
            raise FileNotFoundError(f"There is no recipe {text[:MAX_NAME]!r}.")
        if path.stat().st_size > MAX_BYTES:
            check.refuse("recipe", "load", f"a file of at most {MAX_BYTES:,} bytes", repr(text))
        content, name = path.read_bytes(), path.stem
    else:
        content, name = shipped_text(text[:MAX_NAME]).encode(), text
    try:
        table = tomllib.loads(content.decode())
    except (ValueError, RecursionError) as error:  # of TOML, its encoding, or a long number
        kind = kind_of(content[:START])
        reason = error if kind in (None, TEXT) else f"it is {kind}"
        check.refuse("recipe", "load", "a TOML document", f"{text!r} ({reason})")
    if "extends" not in table:
        return table, name
    owner = f"recipe {name!r}"
    base = checks.text(table.pop("extends"), "extends", owner)
    if depth == MAX_EXTENDS:
        check.refuse("extends", owner, f"at most {MAX_EXTENDS} files in a row", repr(base))
    merged, _ = _read(path.parent / base if base.endswith(SUFFIX) else base, depth + 1)
    for own in ("name", *RESULTS):  # the results of other settings are others
        merged.pop(own, None)
    merge(merged, table)
    return merged, name


def _is_file(path: Path) -> bool:
    """Return whether the file exists; a name may be too long for any file."""
    try:
        return path.is_file()
    except OSError:
        return False


def merge(table: Table, changes: Mapping[str, Any]) -> None:
    """Merge changes into a table, recursively."""
    for key, value in changes.items():
        if isinstance(value, Mapping) and isinstance(table.get(key), dict):
            merge(table[key], value)
        else:
            table[key] = value


def _assignment(change: str) -> tuple[list[str], Any]:
    """Return the keys and the value of ``KEYS=VALUE``."""
    key, equals, value = change.partition("=")
    keys = key.strip().split(".")
    if not equals or not all(keys):
        check.refuse("changes", "load", "'TABLE.KEY=VALUE'", repr(change))
    try:
        parsed = tomllib.loads(f"value = {value}")
    except (ValueError, RecursionError):
        return keys, value.strip()  # text without quotes
    return keys, parsed["value"] if list(parsed) == ["value"] else value.strip()


def _put(table: Table, keys: list[str], value: Any) -> None:
    for key in keys[:-1]:
        inner = table.setdefault(key, {})
        if not isinstance(inner, dict):
            check.refuse("changes", "load", f"of a key, which {key!r} is", ".".join(keys))
        table = inner
    table[keys[-1]] = value


def _section(kind: type[Section], table: Any, prefix: str, owner: str) -> Section:
    """Check the entries of one table, whose keys are known."""
    values: Table = {}
    for entry in fields(kind):  # type: ignore[arg-type]
        if "check" not in entry.metadata:
            continue
        name = entry.name
        if name in table:
            values[name] = _checked(entry.metadata["check"], table[name], prefix + name, owner)
        elif entry.default is MISSING and entry.default_factory is MISSING:
            check.refuse(prefix + name, owner, "given", "nothing")
    return kind(**values)


def _checked(function: Check, value: Any, name: str, owner: str) -> Any:
    """Check a value; in a file, a wrong type is a ValueError too."""
    try:
        return function(value, name, owner)
    except TypeError as error:
        raise ValueError(str(error)) from error


def _teacher(table: Any, stage: str, owner: str) -> Teacher | None:
    if stage not in TAUGHT:
        return None
    if table is None:
        check.refuse("teacher", owner, f"given for stage {stage!r}", "nothing")
    plain = {key: value for key, value in table.items() if key not in CHANGEABLE}
    teacher = _section(Teacher, plain, "teacher.", owner)
    changes = {key: dict(table[key]) for key in CHANGEABLE if key in table}
    if (teacher.recipe is None) == (teacher.checkpoint is None):
        legal = "one of teacher.recipe and teacher.checkpoint"
        check.refuse("teacher", owner, legal, "none" if teacher.recipe is None else "both")
    if teacher.generations > 1 and stage != "distilled":
        check.refuse("teacher.generations", owner, "1 for this stage", teacher.generations)
    if changes and teacher.recipe is None:
        legal = "left out with teacher.checkpoint"
        check.refuse(f"teacher.{next(iter(changes))}", owner, legal, "one")
    return Teacher(
        recipe=teacher.recipe,
        checkpoint=teacher.checkpoint,
        generations=teacher.generations,
        changes=changes,
    )


def _check_together(recipe: Recipe, owner: str) -> None:
    """Refuse entries that are legal by themselves, but not together."""
    data = recipe.data
    if (data.name == OWN_PICTURES) != (data.image_size is not None):
        legal = "given for data of your own, and only there"
        check.refuse("data.image_size", owner, legal, data.image_size)
    if data.name == OWN_PICTURES and data.root is None:
        check.refuse("data.root", owner, "given for data of your own", "nothing")
    if data.split == "trainval" and recipe.evaluation.model == "best":
        legal = "'last' if the validation classes are trained on"
        check.refuse("evaluation.model", owner, legal, "'best'")


def legal_keys(stage: Stage) -> dict[str, tuple[str, ...]]:
    """Return the keys of each table of a stage's recipe; "" holds those outside of tables."""
    kinds = {**TABLES, "loss": LOSSES[stage], **RESULTS}
    if stage in TAUGHT:
        kinds["teacher"] = Teacher
    keys = {
        table: tuple(e.name for e in fields(kind) if "check" in e.metadata)
        for table, kind in kinds.items()
    }
    return {"": ENTRIES, **keys}


def _refuse_unknown(table: Mapping[str, Any], stage: Stage, owner: str) -> None:
    """Refuse an unknown key, and name a similar known one."""
    legal = legal_keys(stage)
    names = [f"{section}.{key}".lstrip(".") for section, keys in legal.items() for key in keys]
    for key, value in table.items():
        if key in ENTRIES and key != "extends":
            continue
        if key not in legal or not key:
            _unknown(key, [*names, *filter(None, legal)], owner)
        if not isinstance(value, Mapping):
            check.refuse(key, owner, "a table", check.shown(value))
        for inner, content in value.items():
            full = f"{key}.{inner}"
            if key == "teacher" and inner in CHANGEABLE:
                if not isinstance(content, Mapping):
                    check.refuse(full, owner, "a table", check.shown(content))
            elif inner not in legal[key]:
                _unknown(full, names, owner)


def _unknown(key: str, names: list[str], owner: str) -> NoReturn:
    """Refuse a key, and name a known one with the same last word or similar letters."""
    word = key[:MAX_KEY].rpartition(".")[2]
    same = (name for name in names if name.rpartition(".")[2] == word)
    near = next(same, None) or similar(key[:MAX_KEY], names)
    hint = f"did you mean {near!r}?" if near else "'skd recipes show' prints a recipe with all keys"
    check.refuse(key[:MAX_KEY], owner, f"a known key ({hint})", "an unknown one")
