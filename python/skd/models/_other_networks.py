"""Networks of other programs, recognised by the names of their weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from skd._files.unreadable import UnreadableFileError

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


def family_of(names: Iterable[str]) -> str | None:
    """Return the family of other networks that the names belong to, or None."""
    known = set(names)
    for (first, *others), family in FAMILIES:
        for name in known:
            # All names may have a prefix, such as "model.".
            prefix = name.removesuffix(first)
            is_first = name.endswith(first) and prefix[-1:] in ("", ".")
            if is_first and all(prefix + other in known for other in others):
                return family
    return None


def refuse_names(
    state: Mapping[str, Any], expected: Iterable[str] = (), architecture: str | None = None
) -> NoReturn:
    """Raise an error with the first difference between a state dict and an architecture.

    Parameters
    ----------
    state : mapping of str to arrays or tensors
        Entries under the names of the backbone and its heads.
    expected : iterable of str
        Names of the architecture, in order.
    architecture : str, optional
        The nearest architecture; if it is left out, none is near.

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
        f"{reason}: compared with the nearest one, {architecture!r}, it {' and '.join(differences)}"
    )


def _others(names: list[str]) -> str:
    return f" and {len(names) - 1} others" if len(names) > 1 else ""
