"""Search for the state dict in a checkpoint of another program.

A state dict is a dict that holds a tensor of four dimensions, the weight of a convolution; if there
is none, any dict of tensors. It may be the whole content, or be nested in dicts under text keys. If
there are several, the first in the order of `PREFERRED` is taken, by the last key; otherwise they
are refused with their keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from skd._files.unreadable import UnreadableFileError
from skd.interchange._tensors import Tensor

PREFERRED = ("model", "state_dict", "params", "model_state_dict", "net", "network", "weights")
MAX_DEPTH = 4
MAX_SHOWN = 8  # keys in a message

State = dict[str, Tensor]


def state_dict_of(content: Any) -> State:
    """Return the tensors of the state dict in a checkpoint.

    Raises
    ------
    UnreadableFileError
        If there is none, or there are several without a preferred one; their keys are named.
    """
    found = list(_dicts_of_tensors(content, (), set()))
    convolutional = [
        (path, state)
        for path, state in found
        if any(len(tensor.shape) == 4 for tensor in state.values())
    ]
    candidates = convolutional or found
    if not candidates:
        raise UnreadableFileError(f"it holds no tensors{_keys_of(content)}")
    if len(candidates) > 1:
        candidates = _preferred(candidates)
    ((_, state),) = candidates
    return state


def _dicts_of_tensors(
    content: Any, path: tuple[str, ...], seen: set[int]
) -> Iterator[tuple[tuple[str, ...], State]]:
    """Yield every dict with tensors, and the keys that lead to it."""
    if not isinstance(content, Mapping) or id(content) in seen:
        return
    seen.add(id(content))  # a pickle can repeat a dict without end
    names = [name for name in content if isinstance(name, str)]
    state = {name: content[name] for name in names if isinstance(content[name], Tensor)}
    if state:
        yield path, state
    if len(path) < MAX_DEPTH:
        for name in names:
            yield from _dicts_of_tensors(content[name], (*path, name), seen)


def _preferred(
    candidates: list[tuple[tuple[str, ...], State]],
) -> list[tuple[tuple[str, ...], State]]:
    """Choose one of several state dicts."""
    whole = [candidate for candidate in candidates if not candidate[0]]
    if whole:
        return whole
    for name in PREFERRED:
        chosen = [candidate for candidate in candidates if candidate[0][-1] == name]
        if len(chosen) == 1:
            return chosen
    keys = ", ".join(repr(".".join(path)) for path, _ in candidates[:MAX_SHOWN])
    raise UnreadableFileError(
        f"it holds {len(candidates)} state dicts, under {keys}; save one of them alone"
    )


def _keys_of(content: Any) -> str:
    if not isinstance(content, Mapping):
        return f": it is a {type(content).__name__}, not a state dict"
    keys = [key if isinstance(key, str) else str(key) for key in list(content)[:MAX_SHOWN]]
    return f", but {', '.join(repr(key[:40]) for key in keys)}" if keys else ""
