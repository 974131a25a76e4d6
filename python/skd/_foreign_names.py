"""The names of other programs' state dicts, and the networks that they tell.

The rule for names: components "module", which DataParallel adds, are dropped; so is what stands
before "layer1.0.", such as "backbone." or "encoder.", from all names that begin with it; entries of
"distill_layer" are left out; and where there is no "classifier", one of `HEADS` is it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NoReturn

from skd._foreign_tensors import Tensor, UnreadableFileError

FIRST = re.compile(r"((?:[^.]+\.)*?)layer1\.0\.(?:conv1\.)?weight")
DROPPED = ("distill_layer.",)
#: What else the classifier on the features is called.
HEADS = ("cls_classifier", "fc", "linear", "head", "classifier.linear", "classifier.fc")
#: Names that tell other networks.
FAMILIES = (
    (("conv1.weight", "bn1.weight", "layer1.0.conv1.weight"), "a ResNet of torchvision or timm"),
    (("features.conv0.weight",), "a DenseNet of torchvision"),
    (("features.0.0.weight",), "a MobileNet, EfficientNet or ConvNeXt of torchvision"),
    (("features.0.weight",), "a VGG or AlexNet of torchvision"),
    (("conv_proj.weight", "class_token"), "a vision transformer of torchvision"),
    (("cls_token", "pos_embed"), "a vision transformer of timm"),
    (("patch_embed.proj.weight",), "a transformer of timm"),
    (("stem.0.weight", "stages.0.blocks.0.conv_dw.weight"), "a ConvNeXt of timm"),
    (("conv_stem.weight",), "an EfficientNet or MobileNet of timm"),
    (("visual.conv1.weight",), "a CLIP model"),
    (("trunk.0.C.weight",), "a network of the code of CloserLookFewShot"),
    (("encoder.0.0.weight",), "a Conv-4 of the code of prototypical networks"),
    (("embeddings.word_embeddings.weight",), "a language model"),
    (("model.embed_tokens.weight",), "a language model"),
    (("transformer.wte.weight",), "a language model"),
)
MAX_SHOWN = 4  # names in a message

State = dict[str, Tensor]


def named_as_ours(state: Mapping[str, Tensor]) -> State:
    """Return a state under the names of the backbone and its heads.

    Raises
    ------
    UnreadableFileError
        If there are several networks in it.
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
    """Name the first head that is there as the classifier."""
    for head in HEADS:
        weight = named.get(f"{head}.weight")
        if weight is not None and len(weight.shape) == 2:
            for name in ("weight", "bias"):
                if f"{head}.{name}" in named:
                    named[f"classifier.{name}"] = named.pop(f"{head}.{name}")
            return


def family_of(names: Iterable[str]) -> str | None:
    """Return which other network names tell, or None."""
    known = set(names)
    for (first, *others), family in FAMILIES:
        for name in known:
            # A network may lie below a name of its own, such as "model.".
            prefix = name.removesuffix(first)
            is_first = name.endswith(first) and prefix[-1:] in ("", ".")
            if is_first and all(prefix + other in known for other in others):
                return family
    return None


def refuse_names(
    state: Mapping[str, Tensor], expected: Iterable[str] = (), architecture: str | None = None
) -> NoReturn:
    """Raise what the first difference of a state dict from the nearest architecture is.

    Parameters
    ----------
    state : mapping of str to Tensor
        Under the names of `named_as_ours`.
    expected : iterable of str
        Names of the architecture, in order.
    architecture : str, optional
        Which; none is near without it.

    Raises
    ------
    UnreadableFileError
        Always.
    """
    family = family_of(state)
    reason = "it is of another architecture" if family is None else f"it looks like {family}"
    if architecture is None:
        shown = ", ".join(repr(name[:60]) for name in list(state)[:MAX_SHOWN])
        raise UnreadableFileError(f"{reason}: its names are {shown} and {len(state)} in all")
    wanted = list(expected)
    missing = [name for name in wanted if name not in state]
    surplus = [name for name in state if name not in set(wanted)]
    differences = []
    if missing:
        differences.append(f"lacks {missing[0]}{_others(missing)}")
    if surplus:
        shape = state[surplus[0]].shape
        differences.append(f"has {surplus[0]:.80} of shape {shape}{_others(surplus)}")
    raise UnreadableFileError(
        f"{reason}: beside the nearest one, {architecture!r}, it {' and '.join(differences)}"
    )


def _others(names: list[str]) -> str:
    return f" and {len(names) - 1} others" if len(names) > 1 else ""
