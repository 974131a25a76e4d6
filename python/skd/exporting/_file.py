"""The ONNX file of a network, from images to features and classes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skd._files.hashes import state_sha256
from skd.choices import OnnxInput, values
from skd.exporting._backbones import backbone
from skd.exporting._graph import Graph
from skd.exporting._layers import Layers
from skd.exporting.heads import Head, add_head

INPUTS: tuple[OnnxInput, ...] = values(OnnxInput)


def network_file(
    state: Mapping[str, NDArray[Any]],
    config: Mapping[str, Any],
    head: Head | None,
    *,
    input_dtype: str,
    owner: str,
) -> bytes:
    """Return the bytes of an ONNX file; see `Model.to_onnx`.

    Parameters
    ----------
    state : mapping of str to ndarray
        C-contiguous arrays of `Model.snapshot`.
    config : mapping
        Arguments of `create_model`, and "normalization": mean and standard deviation, or None.
    head : Head or None
        Fitted head, whose outputs the graph gets in place of the logits.
    input_dtype : {"uint8", "float32"}
        Type of the images.
    owner : str
        The function that was called.

    Raises
    ------
    ImportError
        If the package ``onnx`` is missing.
    """
    graph = Graph()
    value = _images(graph, config, is_uint8=input_dtype == "uint8")
    layers = Layers(graph, state)
    embedding = backbone(layers, value, config["architecture"])
    classes, dimensions = state["classifier.weight"].shape
    graph.output("embedding", "float", (dimensions,), embedding)
    if head is None:
        graph.output("logits", "float", (classes,), layers.linear(embedding, "classifier"))
    else:
        is_embedding = head.features == "embedding"
        add_head(graph, embedding if is_embedding else layers.linear(embedding, "classifier"), head)
    notes = {"config": json.dumps(dict(config)), "sha256": state_sha256(state)}
    return graph.serialized(str(config["architecture"]), notes, owner)


def _images(graph: Graph, config: Mapping[str, Any], *, is_uint8: bool) -> str:
    """Add the input, its normalisation and the change to NCHW order."""
    side, channels = config["image_size"], config["input_channels"]
    shape = (side, side, channels)
    value = graph.input("images", "uint8" if is_uint8 else "float", shape)
    if is_uint8:
        mean, std = (np.array(row, dtype=np.float32) for row in config["normalization"])
        value = graph.node("Cast", [value], "images.floats", to=1)  # FLOAT
        full = graph.constant("images.full", np.array(255, dtype=np.float32))
        value = graph.node("Div", [value, full], "images.unit")
        value = graph.node("Sub", [value, graph.constant("images.mean", mean)], "images.centred")
        value = graph.node("Div", [value, graph.constant("images.std", std)], "images.normalized")
    return graph.node("Transpose", [value], "images.planes", perm=[0, 3, 1, 2])
