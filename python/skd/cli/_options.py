"""Options that several commands share, and the translation of refused arguments into options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import typer

import skd
from skd._refusals import Refusal, shown
from skd.datasets.catalogue import NAMES

#: Phrases about arguments of functions, and about options of commands.
PHRASES = {
    "unless resume=True": "unless --resume is given",
    "or have another folder": "or be given another --output",
}


def naming(options: Mapping[str, str]) -> Callable[[Refusal], str]:
    """Return a function that describes a refusal by the options of a command.

    Parameters
    ----------
    options : mapping
        Options and arguments of the command by the parameter they are passed as: ``"name"``, or
        ``"owner.name"`` if several functions have a parameter of that name. Other parameters, such
        as an entry of a recipe, keep their names.
    """

    def words(refusal: Refusal) -> str:
        for phrase, own in PHRASES.items():
            refusal = refusal._replace(legal=refusal.legal.replace(phrase, own))
        option = options.get(f"{refusal.owner}.{refusal.name}", options.get(refusal.name))
        return str(refusal) if option is None else f"{option} must {refusal.requirement}"

    return words


def integer(value: object) -> int:
    """Parse an integer of the command line.

    Raises
    ------
    typer.BadParameter
        If the text is not an integer.
    """
    try:
        return int(str(value))
    except ValueError:
        raise typer.BadParameter(f"must be an integer; got {shown(value)}.") from None


def number(value: object) -> float:
    """Parse a number of the command line.

    Raises
    ------
    typer.BadParameter
        If the text is not a number.
    """
    try:
        return float(str(value))
    except ValueError:
        raise typer.BadParameter(f"must be a number; got {shown(value)}.") from None


Threads = Annotated[
    int | None,
    typer.Option(
        parser=integer,
        metavar="N",
        help="Threads; by default all processors. Changes no result.",
    ),
]
Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="Print the result alone: no progress and no notices."),
]
Pretrained = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Weights that come with skd, in place of a file; 'skd info' lists them.",
        autocompletion=skd.list_pretrained,
        show_default=False,
    ),
]
DATA_HELP = (
    "Name of a data set, an imported folder, or a folder of pictures with a folder for each class."
)


def data_names() -> list[str]:
    """Return the names of data sets, for the completion of an option."""
    return list(NAMES)


Data = Annotated[str, typer.Option(metavar="DATA", help=DATA_HELP, autocompletion=data_names)]
Root = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER", help="Folder of the files of a named data set, or of '--data folder'."
    ),
]
CHECKPOINT_HELP = "Model file, or the folder of a run."
