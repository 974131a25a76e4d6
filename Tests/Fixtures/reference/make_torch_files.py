"""Writes ../torch: checkpoints as the field's code saves them, of networks of a few channels.

Every state-dict entry is `fill` of its plain name, so that only the names under which it is saved, the
format and the outputs are stored. Run it with PyTorch; the version is in `expected.npz`.
"""
from __future__ import annotations

import argparse
import pathlib
from collections import OrderedDict

import numpy as np
import torch

import skd_torch as skd
from fill import fill, fill_state
from make_golden import Golden

SEED, CLASSES, SIDE, IMAGES = 5 << 32, 3, 16, 2
WIDTHS = (4, 4, 8, 8)


def network(name: str) -> torch.nn.Module:
    published = skd.ResNet.widths
    skd.ResNet.widths = WIDTHS
    try:
        model = skd.make_backbone(name, CLASSES, 1, 0.0)
    finally:
        skd.ResNet.widths = published
    fill_state(model, SEED)
    return model


def prefixed(state, prefix: str) -> OrderedDict:
    return OrderedDict((prefix + name, tensor) for name, tensor in state.items())


def backbone(state) -> OrderedDict:
    return OrderedDict((name, tensor) for name, tensor in state.items() if "classifier" not in name)


def classifier(state, name: str = "classifier") -> OrderedDict:
    start = name + "."
    return OrderedDict((key.removeprefix(start), value) for key, value in state.items() if key.startswith(start))


def main() -> None:
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path, default=here.parent / "torch")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)

    def save(content, name: str, legacy: bool = False) -> None:
        torch.save(content, out / name, _use_new_zipfile_serialization=not legacy)
        print(f"{name:28s} {(out / name).stat().st_size / 1024:6.1f} KiB")

    expected = Golden("expected", 1)
    expected.put("torch.version", [int(part) for part in torch.__version__.split("+")[0].split(".")[:2]])
    images = torch.from_numpy(fill("input", (IMAGES, 3, SIDE, SIDE), SEED))
    models = {name: network(name) for name in ("resnet12_ssl", "seresnet12", "resnet18", "resnet24_ssl")}
    for name, model in models.items():
        with torch.no_grad():
            output = model.eval()(images)
        expected.put(f"{name}.feature", output.feature)
        expected.put(f"{name}.logits", output.logits)
        if output.rotation is not None:
            expected.put(f"{name}.rotation", output.rotation)
    expected.save(out)

    # SKD's: several GPUs, an optimiser that has taken a step.
    state = models["resnet12_ssl"].state_dict()
    stepped = network("resnet12_ssl")
    optimizer = skd.make_optimizer(stepped)
    sum(value.sum() for value in stepped.eval()(images)[2:]).backward()
    optimizer.step()
    save({"epoch": 65, "optimizer": optimizer.state_dict(), "model": prefixed(state, "module.")}, "skd.pth")
    # RFS's: the options beside the state, before torch 1.6.
    options = argparse.Namespace(model="seresnet12", learning_rate=0.05, lr_decay_epochs=[60, 80], n_gpu=1)
    save({"opt": options, "model": models["seresnet12"].state_dict()}, "rfs_legacy.pth", legacy=True)
    save({"epoch": 3, "accuracy": np.float64(61.5), "model": models["resnet18"].state_dict()}, "rfs_resnet18.pth")
    # LibFewShot's: the whole model with its teacher, and its parts.
    whole = prefixed(backbone(state), "emb_func.")
    whole.update(prefixed(classifier(state), "cls_classifier."))
    whole.update(prefixed(classifier(state, "rot_classifier"), "rot_classifier."))
    whole.update(prefixed(backbone(state), "distill_layer.emb_func."))
    save(whole, "libfewshot.pth")
    state = models["resnet24_ssl"].state_dict()
    save(backbone(state), "libfewshot_emb_func.pth", legacy=True)
    save(classifier(state), "libfewshot_cls_classifier.pth")
    # One tensor of each type and layout that a state dict can hold.
    base = torch.arange(24, dtype=torch.float32) / 8 - 1
    tensors = OrderedDict(
        (str(kind).removeprefix("torch."), base.to(kind).reshape(4, 6))
        for kind in (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32)
    )
    tensors["transposed"] = base.reshape(4, 6).t()
    tensors["part"] = base.reshape(4, 6)[1:3, ::2]
    tensors["scalar"] = torch.tensor(7)
    tensors["empty"] = torch.zeros(0, 3)
    tensors["parameter"] = torch.nn.Parameter(base)
    for legacy in (False, True):
        save(tensors, f"tensors{'_legacy' if legacy else ''}.pth", legacy)


if __name__ == "__main__":
    main()
