"""Writing a network and a fitted head as an ONNX file."""

from __future__ import annotations

from os import PathLike
from typing import Any

from skd import _validation as check
from skd._files.atomic import write_atomically
from skd._files.hashes import state_sha256
from skd.classifiers import CalibratedClassifier
from skd.classifiers.inputs import not_fitted
from skd.exporting import HEADS, INPUTS, Exportable, Head, head_of, network_file
from skd.models._images import Normalization

OWNER = "Model.to_onnx"


def write_onnx(
    model: Any, path: str | PathLike[str], classifier: Any, input_dtype: str | None
) -> None:
    """Check the arguments of `Model.to_onnx`, and write the file atomically."""
    target = check.output_file(path, "path", OWNER)
    kind = _input_dtype(input_dtype, model.normalization)
    head = None if classifier is None else _head(model, classifier)
    state, config = model.snapshot(), {**model.config, "normalization": model.normalization}
    content = network_file(state, config, head, input_dtype=kind, owner=OWNER)
    write_atomically(target, content)


def _input_dtype(value: Any, normalization: Normalization | None) -> str:
    """Return the type of the images: by default uint8, if the model can normalise them."""
    if value is None:
        return "float32" if normalization is None else "uint8"
    kind = check.choice(value, "input_dtype", OWNER, INPUTS)
    if kind == "uint8" and normalization is None:
        legal = "'float32' for a model without a normalization (fit sets it)"
        check.refuse("input_dtype", OWNER, legal, repr(kind))
    return kind


def _head(model: Any, classifier: Any) -> Head:
    """Return the fitted head of a classifier on the features of a model."""
    head = _exported(model, classifier)
    if not isinstance(head.classifier, HEADS):
        legal = f"a head that an ONNX file can hold: {', '.join(kind.__name__ for kind in HEADS)}"
        check.refuse("classifier", OWNER, legal, repr(head.classifier))
    width = model.embedding_dim if head.features == "embedding" else model.num_classes
    if head.classifier.n_features_in_ != width:
        got = f"one of {head.classifier.n_features_in_}"
        check.refuse("classifier", OWNER, f"one that is fitted to rows of {width} features", got)
    return head


def _exported(model: Any, classifier: Any) -> Head:
    if isinstance(classifier, Exportable):
        other, head = classifier._exported(OWNER)
        if other is not model and _features_of(other) != _features_of(model):
            check.refuse("classifier", OWNER, "one that is fitted on this model", repr(other))
        return head
    if not isinstance(classifier, (*HEADS, CalibratedClassifier)):
        legal = "a FewShotClassifier of this model, or a fitted classifier of skd"
        check.refuse("classifier", OWNER, legal, check.shown(classifier), TypeError)
    if not hasattr(classifier, "classes_"):
        raise not_fitted(OWNER)
    return head_of(classifier)


def _features_of(model: Any) -> tuple[Any, ...]:
    """Return everything that the features of a model depend on."""
    return model.config, model.normalization, state_sha256(model.snapshot())
