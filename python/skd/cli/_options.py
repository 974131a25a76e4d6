"""Translation of refused arguments into the options of a command."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from skd._refusals import Refusal

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
