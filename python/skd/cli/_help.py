"""Help of commands as plain text of at most 80 columns, in which no word is cut."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

WIDEST, NARROWEST = 80, 50
INDENT = "  "
MOST_FOR_NAMES = 30  # columns; the text of a longer name begins on the next line
SPACE = "\0"  # a space at which no line ends


def help_of(command: Any, ctx: Any) -> str:
    """Return the help of a command: usage, description, arguments, options and subcommands.

    Parameters
    ----------
    command : typer.core.TyperCommand or typer.core.TyperGroup
        The command.
    ctx : typer.Context
        Its context.
    """
    width = max(NARROWEST, min(shutil.get_terminal_size().columns, WIDEST))
    parameters = [p for p in command.get_params(ctx) if not getattr(p, "hidden", False)]
    arguments = [p for p in parameters if is_argument(p)]
    options = [p for p in parameters if not is_argument(p)]
    commands = getattr(command, "commands", {})
    further = ["COMMAND"] if commands else []
    usage = " ".join([ctx.command_path, "[OPTIONS]", *_needed(options), *map(_used, arguments)])
    lines = _wrapped(" ".join(["Usage:", usage, *further]), width, "", INDENT * 4)
    for paragraph in (command.help or "").strip().split("\n\n"):
        lines += ["", *_wrapped(paragraph, width, INDENT, INDENT)]
    lines += _table("Arguments", [(_used(p), _text(p)) for p in arguments], width)
    lines += _table("Options", [(_spelled(p), _text(p)) for p in options], width)
    summaries = [(name, c.help.strip().split("\n\n")[0]) for name, c in commands.items()]
    return "\n".join(lines + _table("Commands", summaries, width))


def is_argument(parameter: Any) -> bool:
    """Whether a parameter is an argument rather than an option."""
    return bool(parameter.param_type_name == "argument")


def name_of(parameter: Any) -> str:
    """Return the name by which the help and errors call a parameter."""
    if is_argument(parameter):
        return str(parameter.metavar or parameter.name.upper())
    return str(max(parameter.opts, key=len))


def _needed(options: Iterable[Any]) -> Iterator[str]:
    """Yield the options that must be given."""
    return (f"{name_of(option)} {option.metavar}" for option in options if option.required)


def _used(argument: Any) -> str:
    """Return an argument as usage lines show it."""
    name = name_of(argument) if argument.required else f"[{name_of(argument)}]"
    return f"{name}..." if argument.nargs == -1 else name


def _spelled(option: Any) -> str:
    """Return the spellings of an option with its value."""
    names = ", ".join(sorted(option.opts, key=len))
    if option.secondary_opts:
        names += f" / {', '.join(option.secondary_opts)}"
    return f"{names} {option.metavar}" if option.metavar else names


def _text(parameter: Any) -> str:
    """Return the description of a parameter, with its default."""
    text, shown, default = parameter.help or "", parameter.show_default, parameter.default
    if parameter.required:
        return text if is_argument(parameter) else f"{text} (required)"
    if isinstance(shown, str):
        default = shown
    elif shown is False or default is None or default is False:
        return text
    elif default is True:
        default = parameter.opts[0]
    return f"{text} " + f"(default: {default})".replace(" ", SPACE)


def _table(title: str, rows: list[tuple[str, str]], width: int) -> list[str]:
    """Render names and texts in two columns."""
    if not rows:
        return []
    short = [len(name) for name, _ in rows if len(name) <= MOST_FOR_NAMES]
    column = max(short, default=MOST_FOR_NAMES)
    rest = INDENT + " " * column + INDENT
    lines = ["", f"{title}:"]
    for name, text in rows:
        if len(name) > column:
            lines += [INDENT + name, *_wrapped(text, width, rest, rest)]
        else:
            lines += _wrapped(text, width, f"{INDENT}{name:{column}}{INDENT}", rest)
    return lines


def _wrapped(text: str, width: int, first: str, rest: str) -> list[str]:
    """Wrap a text between words only."""
    lines = textwrap.wrap(
        " ".join(text.split()),
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_on_hyphens=False,
        break_long_words=False,
    )
    return [line.replace(SPACE, " ") for line in lines]
