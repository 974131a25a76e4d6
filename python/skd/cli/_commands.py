"""Commands that print their help, and report usage errors in one line like all other errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from skd._refusals.similar import similar
from skd.cli._exit_status import BAD_INPUT
from skd.cli._help import help_of, name_of
from skd.cli._processes import say

#: The base of all errors of words that are no command, no option or no value of one.
USAGE_ERROR: type[Any] = typer.BadParameter.__mro__[1]
EXTRA = re.compile(r"unexpected extra argument.*\((.*)\)$")


class Command(TyperCommand):
    """A command without subcommands."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        formatter.write(help_of(self, ctx))


class ListingCommand(Command):
    """A command with options that take several of some names: ``--data A B`` is two of them.

    A word after such a name is another of them if it is one of the legal names, and otherwise what
    it is without this class.
    """

    #: Options and their legal names, set by `listing`.
    lists: Mapping[str, Callable[[], Iterable[str]]]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Repeat the option before each further name."""
        return super().parse_args(ctx, list(_repeated(args, self.lists)))


def listing(**lists: Callable[[], Iterable[str]]) -> type[ListingCommand]:
    """Return the class of a command with such options, without their dashes."""
    named = {f"--{name}": names for name, names in lists.items()}
    return type("ListingCommand", (ListingCommand,), {"lists": named})


def _repeated(
    words: Iterable[str], lists: Mapping[str, Callable[[], Iterable[str]]]
) -> Iterator[str]:
    option, is_value = "", False
    for word in words:
        if is_value:
            is_value = False
        elif word in lists:
            option, is_value = word, True
        elif option and word in lists[option]():
            yield option
        else:
            option = ""
        yield word


class Commands(TyperGroup):
    """A command with subcommands; without any word it prints its help."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        formatter.write(help_of(self, ctx))

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        """Parse the options before the subcommand."""
        path = f"{parent.command_path} {info_name}" if parent else str(info_name)
        with _reporting(lambda: path):
            return super().make_context(info_name, args, parent=parent, **extra)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Print the help if there are no words."""
        if not args and not ctx.resilient_parsing:
            typer.echo(ctx.get_help())
            ctx.exit()
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find a subcommand, or name a similar one."""
        if args[0] not in self.commands:
            hint = did_you_mean(args[0], self.commands)
            raise USAGE_ERROR(f"there is no command {args[0]!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Parse the words of the subcommand, and run it."""
        with _reporting(lambda: f"{ctx.command_path} {ctx.invoked_subcommand or ''}".rstrip()):
            return super().invoke(ctx)


@contextmanager
def _reporting(command: Callable[[], str]) -> Iterator[None]:
    """Report a usage error of a command as one line, and exit."""
    try:
        yield
    except USAGE_ERROR as error:
        say(f"{command()}: {sentence(error)}", err=True)
        raise typer.Exit(BAD_INPUT) from error


def sentence(error: Any) -> str:
    """Describe a usage error."""
    kind, parameter = type(error).__name__, getattr(error, "param", None)
    if kind == "MissingParameter":
        return f"{name_of(parameter)} must be given; got nothing."
    if kind == "NoSuchOption":
        known = [name for option in error.ctx.command.params for name in option.opts]
        hint = did_you_mean(error.option_name, known)
        return f"there is no option {error.option_name!r}; {hint}"
    if kind == "BadOptionUsage":
        takes_none = "not take" in error.message
        wanted = "have no value; got one" if takes_none else "have a value; got none"
        return f"{error.option_name} must {wanted}."
    if extra := EXTRA.search(error.message):
        return f"the arguments must end before {extra[1].split()[0]!r}."
    return f"{name_of(parameter)} {error.message}" if parameter else str(error.message)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the end of a sentence about an unknown word."""
    names = {name.lstrip("-"): name for name in known}
    near = similar(word.lstrip("-"), names)
    return f"did you mean {names[near]!r}?" if near else "-h lists all."
