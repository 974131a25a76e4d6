"""Translation of names in other programs' state dicts.

The rules: components "module", which DataParallel adds, are dropped. A prefix before "layer1.0.",
such as "backbone." or "encoder.", is dropped from all names that begin with it. Entries of
"distill_layer" are ignored. If there is no "classifier", one of `HEADS` takes its place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from skd._files.unreadable import UnreadableFileError
from skd.interchange._tensors import Tensor

FIRST = re.compile(r"((?:[^.]+\.)*?)layer1\.0\.(?:conv1\.)?weight")
DROPPED = ("distill_layer.",)
#: Other names of the classifier on the features.
HEADS = ("cls_classifier", "fc", "linear", "head", "classifier.linear", "classifier.fc")
MAX_SHOWN = 4  # names in a message

State = dict[str, Tensor]


def named_as_ours(state: Mapping[str, Tensor]) -> State:
    """Return a state under the names of the backbone and its heads.

    Raises
    ------
    UnreadableFileError
        If the state holds several networks.
    """
    plain = {
        name: tensor
        for name, tensor in ((_without_module(name), tensor) for name, tensor in state.items())
        if not name.startswith(DROPPED)
    }
    prefixes = {match[1] for match in map(FIRST.fullmatch, plain) if match}
    if len(prefixes) > 1:
        found = ", ".join(repr(prefix) for prefix in sorted(prefixes)[:MAX_SHOWN])
        raise UnreadableFileError(
            f"it holds {len(prefixes)} networks, whose names begin with {found}; save one alone"
        )
    prefix = next(iter(prefixes), "")
    named = {name.removeprefix(prefix): tensor for name, tensor in plain.items()}
    if "classifier.weight" not in named:
        _name_classifier(named)
    return named


def _without_module(name: str) -> str:
    return ".".join(part for part in name.split(".") if part not in ("module", "_orig_mod"))


def _name_classifier(named: State) -> None:
    """Rename the first head that is present to "classifier"."""
    for head in HEADS:
        weight = named.get(f"{head}.weight")
        if weight is not None and len(weight.shape) == 2:
            for name in ("weight", "bias"):
                if f"{head}.{name}" in named:
                    named[f"classifier.{name}"] = named.pop(f"{head}.{name}")
            return
