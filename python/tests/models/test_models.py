"""Models and checkpoints."""

import os

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import skd

ARCHITECTURES = {
    "resnet12": (8, 8, 16, 16),
    "seresnet12": (16, 16, 16, 16),
    "resnet18": (8, 8, 16, 16),
    "resnet24": (8, 8, 16, 16),
    "convnet4": (8, 8, 8, 8),
    "wrn_28_10": None,
}
SMALL = {name: widths for name, widths in ARCHITECTURES.items() if widths is not None}


@pytest.mark.parametrize("architecture", SMALL)
def test_every_architecture_trains(make_model, batch, architecture):
    model = make_model(architecture, widths=SMALL[architecture], drop_rate=0)
    trainer = skd.Supervised(model, optimizer=skd.SGD(lr=0.02))
    first = trainer.step(*batch).total
    for _ in range(10):
        last = trainer.step(*batch).total
    assert last < first


def test_published_sizes():
    model = skd.create_model("resnet12", num_classes=64, image_size=32)
    assert model.embedding_dim == 640
    assert model.parameter_count == 12_465_604


def test_equal_seeds_give_equal_weights(make_model):
    first, same, other = (make_model(seed=seed).state_dict() for seed in (1, 1, 2))
    name = "layer1.0.conv1.weight"
    np.testing.assert_array_equal(first[name], same[name])
    assert not np.array_equal(first[name], other[name])


def test_evaluation_does_not_depend_on_the_chunks(make_model, rng):
    model = make_model()
    images = rng.standard_normal((130, 16, 16, 3)).astype(np.float32)
    together = model.embed(images)
    for rows in (slice(0, 1), slice(60, 70), slice(127, 130)):
        np.testing.assert_array_equal(model.embed(images[rows]), together[rows])


def test_stage_outputs_end_in_the_embedding(make_model, batch):
    model = make_model()
    last = model.stage_outputs(batch[0])[-1]
    np.testing.assert_allclose(last.mean(axis=(1, 2)), model.embed(batch[0]), rtol=1e-5)


@pytest.mark.parametrize("architecture", SMALL)
def test_a_checkpoint_restores_the_model(make_model, batch, tmp_path, architecture):
    model = make_model(architecture, widths=SMALL[architecture], drop_rate=0.05)
    skd.Supervised(model).step(*batch)
    model.normalization = ((0.1, 0.2, 0.3), 0.5)
    model.save(tmp_path / "model.safetensors")
    restored = skd.load_model(tmp_path / "model.safetensors")
    for name, view in model.state_dict().items():
        np.testing.assert_array_equal(restored.state_dict()[name], view, name)
    np.testing.assert_array_equal(restored.logits(batch[0]), model.logits(batch[0]))
    assert restored.config == model.config
    assert restored.normalization == model.normalization
    assert os.listdir(tmp_path) == ["model.safetensors"]


def test_a_checkpoint_holds_what_pytorch_expects(make_model, tmp_path):
    model = make_model()
    path = tmp_path / "model.safetensors"
    model.save(str(path))
    stored = load_file(path)
    state = model.state_dict()
    assert stored.keys() == state.keys()
    for name, array in stored.items():
        np.testing.assert_array_equal(array, state[name], name)
    assert stored["layer1.0.conv1.weight"].shape == (8, 3, 3, 3)


def test_load_model_says_what_is_wrong_with_a_file(make_model, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent\.safetensors"):
        skd.load_model(tmp_path / "absent.safetensors")
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"<html>404</html>")
    with pytest.raises(ValueError, match="safetensors"):
        skd.load_model(path)
    save_file({"weight": np.zeros(3, dtype=np.float32)}, path)
    with pytest.raises(ValueError, match=r"Model\.save"):
        skd.load_model(path)
    make_model().save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="safetensors"):
        skd.load_model(path)


def test_the_folder_of_a_run_is_loaded_by_its_model(make_model, tmp_path):
    with pytest.raises(
        ValueError, match=r"holds model\.safetensors; got the folder '.*' without it"
    ):
        skd.load_model(tmp_path)
    model = make_model(seed=3)
    model.save(tmp_path / "model.safetensors")
    loaded = skd.load_model(tmp_path)
    for name, view in model.state_dict().items():
        np.testing.assert_array_equal(loaded.state_dict()[name], view)


def test_a_failed_save_leaves_the_old_file(make_model, tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    make_model(seed=1).save(path)
    whole = path.read_bytes()

    def fail(*arguments):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        make_model(seed=2).save(path)
    assert path.read_bytes() == whole
    assert os.listdir(tmp_path) == ["model.safetensors"]


def test_repr_names_the_sizes_and_the_normalisation(make_model):
    model = make_model()
    expected = (
        "Model('resnet12', num_classes=5, image_size=16, input_channels=3, widths=(8, 8, 16, 16), "
        f"parameter_count={model.parameter_count}, normalization="
    )
    assert repr(model) == f"{expected}None)"
    model.normalization = (1 / 3, (0.25, 0.5, 0.75))
    assert repr(model) == f"{expected}((0.3333, 0.3333, 0.3333), (0.25, 0.5, 0.75)))"


@pytest.mark.parametrize("architecture", skd.list_models())
def test_every_listed_model_can_be_created(architecture):
    options = {"widths": ARCHITECTURES[architecture]} if architecture in SMALL else {}
    model = skd.create_model(architecture, num_classes=2, image_size=16, **options)
    assert model.architecture == architecture
    assert model.widths == (ARCHITECTURES[architecture] or (160, 320, 640))


@pytest.mark.parametrize(("architecture", "blocks"), [("resnet18", 6), ("resnet24", 8)])
def test_the_first_block_of_a_stage_alone_has_a_shortcut_convolution(architecture, blocks):
    state = skd.create_model(
        architecture, num_classes=2, image_size=16, widths=(4, 4, 4, 4)
    ).state_dict()
    shortcuts = [name for name in state if name.endswith("downsample.0.weight")]
    assert shortcuts == [f"layer{stage}.0.downsample.0.weight" for stage in (1, 2, 3, 4)]
    assert sum(name.endswith("conv3.weight") for name in state) == blocks
    assert "rot_classifier.weight" in state


def test_gates_are_in_the_last_block_of_each_stage(make_model):
    state = make_model("resnet18", use_se=True).state_dict()
    gated = sorted({name.split(".se.")[0] for name in state if ".se." in name})
    assert gated == ["layer1.0", "layer2.0", "layer3.1", "layer4.1"]


def test_seresnet12_is_resnet12_with_gates(make_model, batch):
    gated = make_model("resnet12", use_se=True, rotation_head=False, seed=3)
    alias = make_model("seresnet12", seed=3)
    np.testing.assert_array_equal(gated.logits(batch[0]), alias.logits(batch[0]))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("architecture", SMALL)
def test_one_to_four_channels_and_any_side_train(make_model, rng, architecture, channels):
    side = 16 + channels
    widths = SMALL[architecture]
    model = make_model(architecture, widths=widths, input_channels=channels, image_size=side)
    x = rng.standard_normal((4, side, side, channels)).astype(np.float32)
    losses = skd.Supervised(model).step(x, [0, 1, 2, 3])
    assert np.isfinite(losses.total)
    assert model.embed(x).shape == (4, widths[-1])


def test_gates_without_a_place_are_refused(make_model):
    with pytest.raises(ValueError, match=r"'use_se' parameter of create_model .* for convnet4"):
        make_model("convnet4", widths=(8, 8, 8, 8), use_se=True)
