"""Embedding by other inference engines, with the weights of SKD's model and in float32.

Each returns a function that embeds the images of a work and returns the features.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import skd
from speed.works import Work, create_model

Embed = Callable[[], NDArray[np.float32]]
OUTPUT = "embedding"  # of the ONNX graph


def embedding(engine: str, work: Work, threads: int) -> Embed:
    """Return the embedding by an engine, one of `ENGINES`."""
    return ENGINES[engine](work, threads)


def _onnx_file(work: Work, folder: str) -> Path:
    path = Path(folder, "model.onnx")
    create_model(work).to_onnx(path, input_dtype="float32")
    return path


def _onnxruntime(work: Work, threads: int) -> Embed:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    with tempfile.TemporaryDirectory() as folder:
        session = onnxruntime.InferenceSession(
            _onnx_file(work, folder), options, providers=["CPUExecutionProvider"]
        )
    feed = {"images": work.images()}
    return lambda: session.run([OUTPUT], feed)[0]


def _openvino(work: Work, threads: int) -> Embed:
    import openvino

    core = openvino.Core()
    images = work.images()
    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": "f32",
        "PERFORMANCE_HINT": "LATENCY",
    }
    with tempfile.TemporaryDirectory() as folder:
        model = core.read_model(_onnx_file(work, folder))
        model.reshape(images.shape)  # a fixed size is the faster one
        compiled = core.compile_model(model, "CPU", settings)
    request, output = compiled.create_infer_request(), compiled.output(OUTPUT)

    def embed() -> NDArray[np.float32]:
        request.infer({"images": images}, share_inputs=True)
        return np.array(request.get_tensor(output).data)

    return embed


def _torch_network(work: Work, threads: int) -> tuple[Any, Any]:
    """Return the reference network with the weights of SKD's model, and the images."""
    import torch

    from speed.torch_works import same_model

    torch.set_num_threads(threads)
    return same_model(work).eval(), torch.from_numpy(work.images()).permute(0, 3, 1, 2)


def _torch(work: Work, threads: int, *, is_compiled: bool = False) -> Embed:
    import torch

    # The reference counts its calls; each number would otherwise be compiled anew.
    torch._dynamo.config.allow_unspec_int_on_nn_module = True
    network, images = _torch_network(work, threads)
    call = torch.compile(network) if is_compiled else network

    def embed() -> NDArray[np.float32]:
        with torch.inference_mode():
            return call(images).feature.numpy()

    return embed


def _torch_compiled(work: Work, threads: int) -> Embed:
    return _torch(work, threads, is_compiled=True)


def _ncnn(work: Work, threads: int) -> Embed:
    """Embed one image after the other: ncnn has no batches."""
    import ncnn
    import pnnx
    import torch

    network, images = _torch_network(work, threads)

    class Features(torch.nn.Module):
        """The features alone."""

        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            """Return the features."""
            return self.network(images).feature

    one = images[:1].contiguous()
    net = ncnn.Net()
    net.opt.num_threads = threads
    for option in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_storage"):
        setattr(net.opt, f"use_{option}", False)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "model.pt"))
        with _output_to_errors():
            pnnx.export(Features().eval(), path, one, fp16=False)
        net.load_param(path.replace(".pt", ".ncnn.param"))
        net.load_model(path.replace(".pt", ".ncnn.bin"))
    planes = [np.ascontiguousarray(image) for image in images.numpy()]

    def embed() -> NDArray[np.float32]:
        rows = []
        for plane in planes:
            extractor = net.create_extractor()
            extractor.input("in0", ncnn.Mat(plane))
            rows.append(np.array(extractor.extract("out0")[1]).ravel())
        return np.stack(rows)

    return embed


@contextmanager
def _output_to_errors() -> Iterator[None]:
    """Send what programs write to the standard output to the standard error."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _skd(work: Work, threads: int) -> Embed:
    skd.set_num_threads(threads)
    model, images = create_model(work), work.images()
    return lambda: model.embed(images)


ENGINES: dict[str, Callable[[Work, int], Embed]] = {
    "SKD": _skd,
    "ONNX Runtime": _onnxruntime,
    "OpenVINO": _openvino,
    "ncnn": _ncnn,
    "PyTorch": _torch,
    "PyTorch, compiled": _torch_compiled,
}
