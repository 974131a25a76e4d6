"""What is refused of a command, in the words of its options."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from skd._refusals import Refusal

#: What functions say of their arguments, and commands of their options.
PHRASES = {
    "unless resume=True": "unless --resume is given",
    "or have another folder": "or be given another --output",
}


def naming(options: Mapping[str, str]) -> Callable[[Refusal], str]:
    """Return what turns a refusal into the words of a command.

    Parameters
    ----------
    options : mapping
        Options and arguments of the command, by the parameters that they become: ``"name"``, or
        ``"owner.name"`` where functions have different ones of the same name. Others, such as an
        entry of a recipe, are reported as they are.
    """

    def words(refusal: Refusal) -> str:
        for phrase, own in PHRASES.items():
            refusal = refusal._replace(legal=refusal.legal.replace(phrase, own))
        option = options.get(f"{refusal.owner}.{refusal.name}", options.get(refusal.name))
        return str(refusal) if option is None else f"{option} must {refusal.requirement}"

    return words
