"""Weights as PyTorch users have them: nested, prefixed, in half precision, in safetensors."""

import json

import numpy as np
import pytest
from hostile_weights import safetensors
from safetensors.numpy import load_file, save_file
from torch_writer import torch_file

import skd
from skd.models.network_shapes import DEFAULT_WIDTHS, require_fitting

WIDTHS = (8, 8, 16, 16)
IMAGES = np.linspace(-1, 1, 2 * 16 * 16 * 3, dtype=np.float32).reshape(2, 16, 16, 3)


def state_of(architecture="resnet12", **options):
    widths = WIDTHS[:3] if architecture == "wrn_28_10" else WIDTHS
    options = {"rotation_head": False, "num_classes": 4, "image_size": 16, **options}
    model = skd.create_model(architecture, widths=widths, **options)
    return {name: np.array(array, order="C") for name, array in model.state_dict().items()}


def renamed(state, before="", classifier="classifier"):
    return {
        before + name if not name.startswith("classifier.")
        else name.replace("classifier", classifier): array
        for name, array in state.items()
    }  # fmt: skip


def assert_read(path, state, **options):
    model = skd.import_torch(path, image_size=16, **options)
    for name, array in model.state_dict().items():
        if name in state:
            np.testing.assert_array_equal(array, state[name], name)
    return model


def bits_of(array):
    """Return float32 numbers cut to bfloat16."""
    return (array.view(np.uint32) >> 16).astype(np.uint16)


def bfloat16_file(path, state):
    header, body = {"__metadata__": {"format": "pt"}}, b""
    for name, array in state.items():
        is_float = array.dtype == np.float32
        raw = (bits_of(array) if is_float else array).tobytes()
        ends = [len(body), len(body) + len(raw)]
        header[name] = {"dtype": "BF16" if is_float else "I64", "shape": list(array.shape),
                        "data_offsets": ends}  # fmt: skip
        body += raw
    path.write_bytes(safetensors(header, body))


@pytest.mark.parametrize("architecture", ["resnet12", "seresnet12", "resnet18", "resnet24",
                                          "convnet4", "wrn_28_10"])  # fmt: skip
def test_safetensors_of_pytorch_are_read_to_the_bit(tmp_path, architecture):
    state = state_of(architecture)
    save_file(state, tmp_path / "net.safetensors", {"format": "pt"})
    model = assert_read(tmp_path / "net.safetensors", state)
    assert model.num_classes == 4
    bfloat16_file(tmp_path / "half.safetensors", state)
    half = skd.import_torch(tmp_path / "half.safetensors", image_size=16)
    for name, array in half.state_dict().items():
        if array.dtype == np.float32:
            np.testing.assert_array_equal(array.view(np.uint32) >> 16, bits_of(state[name]), name)
    np.testing.assert_allclose(half.logits(IMAGES), model.logits(IMAGES), atol=0.1)


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_other_precisions_become_float32_counters_too(tmp_path, dtype):
    state = state_of()
    changed = {name: array.astype(dtype) for name, array in state.items()}
    save_file(changed, tmp_path / "net.safetensors")
    torch_file(tmp_path / "net.pth", changed)
    wanted = {name: changed[name].astype(array.dtype) for name, array in state.items()}
    for name in ("net.safetensors", "net.pth"):
        assert_read(tmp_path / name, wanted)


def test_the_model_of_this_package_is_read_too(tmp_path, make_model):
    model = make_model()
    model.save(tmp_path / "model.safetensors")
    assert_read(tmp_path / "model.safetensors", dict(model.state_dict()))


@pytest.mark.parametrize("name", ["other.bin", "model.safetensors"])
def test_a_file_is_known_by_its_content(tmp_path, name):
    state = state_of("convnet4")
    save_file(state, tmp_path / name)
    assert_read(tmp_path / name, state)
    torch_file(tmp_path / name, state)
    assert_read(tmp_path / name, state)


NESTS = {
    "model": lambda state: {"epoch": 3, "model": state, "optimizer": {"state": {0: state}}},
    "state_dict": lambda state: {"state_dict": state, "best_acc": 0.5},
    "net": lambda state: {"net": state},
    "model_ema alone": lambda state: {"model_ema": state},
    "embedding and head": lambda state: {"embedding": state, "head": {}},
    "model beside model_ema": lambda state: {"model_ema": state_of(seed=9), "model": state},
    "two levels": lambda state: {"checkpoint": {"model": {"weights": state}}},
    "beside a mean": lambda state: {"backbone": state, "stats": {"mean": np.zeros(3, np.float32)}},
}


@pytest.mark.parametrize("nest", NESTS)
def test_a_nested_state_dict_is_found(tmp_path, nest):
    state = state_of()
    torch_file(tmp_path / "net.pth", NESTS[nest](state))
    assert_read(tmp_path / "net.pth", state)


@pytest.mark.parametrize(("content", "keys"), [
    (lambda state: {"student": state, "teacher": state}, "'student', 'teacher'; save one"),
    (lambda state: {"a": {"net1": state}, "b": {"net2": state}}, r"'a\.net1', 'b\.net2'"),
    (lambda state: {"epoch": 3, "optimizer": {"lr": 0.1}}, "no tensors, but 'epoch', 'optimizer'"),
    (lambda state: {}, "it holds no tensors"),
])  # fmt: skip
def test_otherwise_the_keys_that_were_found_are_named(tmp_path, content, keys):
    torch_file(tmp_path / "net.pth", content(state_of("convnet4")))
    with pytest.raises(ValueError, match=rf"'path' .*net\.pth.*{keys}"):
        skd.import_torch(tmp_path / "net.pth", image_size=16)


@pytest.mark.parametrize(
    "before",
    [
        "module.",
        "backbone.",
        "encoder.",
        "net.",
        "module.encoder.",
        "model.backbone.",
        "_orig_mod.",
        "emb_func.",
        "student.net.",
    ],
)
@pytest.mark.parametrize("architecture", ["resnet12", "convnet4", "wrn_28_10"])  # fmt: skip
def test_what_stands_before_all_names_is_dropped(tmp_path, before, architecture):
    state = state_of(architecture)
    save_file(renamed(state, before), tmp_path / "net.safetensors")
    assert_read(tmp_path / "net.safetensors", state)
    whole = {before + name: array for name, array in state.items()}
    save_file(whole, tmp_path / "net.safetensors")
    assert_read(tmp_path / "net.safetensors", state)


@pytest.mark.parametrize("head", ["fc", "linear", "head", "cls_classifier", "classifier.linear",
                                  "module.fc", "model.head"])  # fmt: skip
def test_the_classifier_may_have_another_name(tmp_path, head):
    state = state_of()
    before = "model." if head.startswith("model.") else "encoder."
    save_file(renamed(state, before, head), tmp_path / "net.safetensors")
    assert assert_read(tmp_path / "net.safetensors", state).num_classes == 4


def test_two_networks_in_one_state_dict_are_named(tmp_path):
    state = state_of("convnet4")
    save_file(
        renamed(state, "encoder_q.") | renamed(state, "encoder_k."), tmp_path / "moco.safetensors"
    )
    with pytest.raises(ValueError, match=r"2 networks, .* 'encoder_k\.', 'encoder_q\.'"):
        skd.import_torch(tmp_path / "moco.safetensors", image_size=16)


def zeros(*names, shape=(2, 2)):
    return {name: np.zeros(shape, dtype=np.float32) for name in names}


OTHERS = {
    "a ResNet of torchvision": zeros(
        "conv1.weight", "bn1.weight", shape=(8, 3, 7, 7)
    ) | zeros(*(f"layer{s}.{b}.conv{c}.weight" for s in (1, 2, 3, 4) for b in (0, 1)
                for c in (1, 2)), shape=(8, 8, 3, 3)) | zeros("fc.weight"),
    "a vision transformer of timm": zeros("cls_token", "pos_embed", "blocks.0.attn.qkv.weight"),
    "a VGG or AlexNet": zeros("features.0.weight", "classifier.6.weight"),
    "a DenseNet": zeros("features.conv0.weight"),
    "a CLIP model": zeros("visual.conv1.weight", "token_embedding.weight"),
    "CloserLookFewShot": zeros("feature.trunk.0.C.weight"),
    "a language model": zeros("model.embed_tokens.weight", "lm_head.weight"),
    "of another architecture: its names are 'stem.conv'": zeros("stem.conv"),
}  # fmt: skip


@pytest.mark.parametrize("family", OTHERS)
@pytest.mark.parametrize("options", [{}, {"num_classes": 10}])
@pytest.mark.parametrize("kind", ["pth", "safetensors"])
def test_another_architecture_is_recognised(tmp_path, family, options, kind):
    path = tmp_path / f"net.{kind}"
    (torch_file if kind == "pth" else lambda p, s: save_file(s, p))(path, OTHERS[family])
    with pytest.raises(ValueError, match=rf"'path' .*{family}") as refused:
        skd.import_torch(path, image_size=16, **options)
    assert "num_classes" not in str(refused.value)
    assert "create_model" not in str(refused.value)


def with_zeros(name, *shape):
    return lambda state: state.update(zeros(name, shape=shape))


DIFFERENCES = {
    r"lacks layer3\.0\.bn2\.bias": lambda state: state.pop("layer3.0.bn2.bias"),
    r"has projector\.0\.weight of shape \(2, 2\)": with_zeros("projector.0.weight", 2, 2),
    r"conv2\.weight is of shape \(9,": with_zeros("layer2.0.conv2.weight", 9, 9, 3, 3),
    r"bn1\.weight is of shape \(9,\)": with_zeros("layer2.0.bn1.weight", 9),
    "takes images of 9 channels": with_zeros("layer1.0.conv1.weight", 8, 9, 3, 3),
    "its classifier takes 9 features": with_zeros("classifier.weight", 4, 9),
    r"layer1\.0\.bn1\.weight is not finite": lambda s: s["layer1.0.bn1.weight"].fill(np.nan),
}


@pytest.mark.parametrize("difference", DIFFERENCES)
def test_the_first_difference_is_named_with_the_file(tmp_path, difference):
    state = state_of()
    DIFFERENCES[difference](state)
    save_file(state, tmp_path / "net.safetensors")
    with pytest.raises(ValueError, match=rf"'path' parameter .*net\.safetensors.*{difference}"):
        skd.import_torch(tmp_path / "net.safetensors", image_size=16)


def test_load_model_says_who_reads_what_it_does_not(tmp_path, make_model):
    state = state_of("convnet4")
    save_file(state, tmp_path / "net.safetensors")
    torch_file(tmp_path / "net.pth", state)
    model = make_model("convnet4", widths=WIDTHS)
    images = np.arange(6 * 768, dtype=np.float32).reshape(6, 16, 16, 3) / 2304 - 1
    skd.FewShotClassifier(model).fit(images, [0, 1, 0, 1, 0, 1]).save(tmp_path / "few.safetensors")
    (tmp_path / "page.safetensors").write_bytes(b"<!doctype html>")
    for name, hint in [
        ("net.safetensors", "it has no configuration; skd.import_torch may read it"),
        ("few.safetensors", "FewShotClassifier.load may read it"),
        ("net.pth", "it is a file of torch.save; skd.import_torch reads it"),
        ("page.safetensors", "it is an HTML page"),
    ]:
        with pytest.raises(ValueError, match=rf"'path' .*{name}.*{hint}"):
            skd.load_model(tmp_path / name)


@pytest.mark.parametrize("change", [
    {"num_classes": 1_000_000}, {"widths": None}, {"widths": [8, 8, 16, 4000]}, {"widths": 8},
    {"architecture": "wrn_28_10", "widths": None}, {"architecture": ["resnet12"]},
    {"input_channels": 4}, {"use_se": True}, {"image_size": 0}, {"rotation_head": False},
    {"num_classes": None}, {"drop_rate": "high"},
])  # fmt: skip
def test_a_configuration_that_is_not_of_its_tensors_is_refused(tmp_path, make_model, change):
    make_model().save(tmp_path / "model.safetensors")
    state = load_file(tmp_path / "model.safetensors")
    config = {**make_model().config, **change}
    save_file(
        state,
        tmp_path / "model.safetensors",
        {"skd": json.dumps({"config": config, "normalization": None})},
    )
    before = skd.live_memory()
    with pytest.raises(ValueError, match=r"'path' parameter of load_model .*model\.safetensors"):
        skd.load_model(tmp_path / "model.safetensors")
    assert skd.live_memory() - before < 1 << 20


@pytest.mark.parametrize("architecture", ["resnet12", "convnet4", "wrn_28_10"])
def test_default_widths_are_those_of_the_library(architecture):
    state = skd.create_model(architecture, num_classes=2, image_size=16).state_dict()
    require_fitting(
        {"architecture": architecture, "widths": None, "use_se": False, "input_channels": 3,
         "num_classes": 2},
        state,
    )  # fmt: skip
    assert len(DEFAULT_WIDTHS[architecture]) == (3 if architecture == "wrn_28_10" else 4)


@pytest.mark.parametrize("reader", [
    skd.FewShotClassifier.load,
    skd.EvaluationResult.load,
    lambda path: skd.import_torch(path, image_size=16),
])  # fmt: skip
def test_a_folder_is_called_a_folder(tmp_path, reader):
    with pytest.raises(ValueError, match=r"'path' .* the name of a file; got the folder"):
        reader(tmp_path)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        reader(tmp_path / "nowhere")


def test_a_folder_without_a_run_is_no_model(tmp_path):
    with pytest.raises(ValueError, match=r"'path' .* folder of a finished run.* got the folder"):
        skd.load_model(tmp_path)


@pytest.mark.parametrize("name", ["bn1.num_batches_tracked", "conv1.weight"])
def test_numbers_that_no_layer_can_have_are_refused(tmp_path, name):
    state = state_of("resnet12")
    state[f"layer1.0.{name}"] = np.full_like(state[f"layer1.0.{name}"], -1e300, dtype="f8")
    save_file(state, tmp_path / "net.safetensors")
    with pytest.raises(ValueError, match=rf"'path' .*{name} is not finite"):
        skd.import_torch(tmp_path / "net.safetensors", image_size=16)
