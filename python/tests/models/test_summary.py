"""Summaries: the layers of a model, with their outputs and their cost."""

import numpy as np
import pytest

import skd
from skd import profiling

WIDTHS = (4, 8, 12, 16)
ARCHITECTURES = [name for name in skd.list_models() if name != "wrn_28_10"]


@pytest.fixture(scope="module")
def wide():
    return skd.create_model("wrn_28_10", num_classes=3, image_size=33, widths=(4, 8, 12))


@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_summary_has_every_parameter_once(make_model, architecture, gated):
    options = {"use_se": True} if gated and architecture.startswith("resnet") else {}
    model = make_model(architecture, widths=WIDTHS, **options)
    summary = model.summary()
    assert summary.parameter_count == model.parameter_count
    weights = [name for name in model.state_dict() if name.endswith(".weight")]
    assert [f"{layer.name}.weight" for layer in summary.layers] == weights


def test_a_summary_of_the_wide_network_has_every_parameter_once(wide):
    assert wide.summary().parameter_count == wide.parameter_count


@pytest.mark.parametrize("side", [16, 33, 84])
def test_multiply_adds_are_half_of_the_operations_of_the_convolutions(side):
    summary = skd.create_model("resnet12", num_classes=5, image_size=side, widths=WIDTHS).summary()
    layers = profiling.resnet12_convolutions(1, side, widths=WIDTHS)
    costs = {layer.name: layer.multiply_adds for layer in summary.layers}
    for layer in layers:
        assert 2 * costs[layer.name] == layer.shape.flops, layer.name
    linear = 5 * WIDTHS[-1] + 4 * 5
    assert 2 * (summary.multiply_adds - linear) == profiling.forward_flops(layers)


def shapes(model):
    return {layer.name: layer.output_shape for layer in model.summary().layers}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_second_stage_works_on_the_output_of_the_first(make_model, architecture):
    model = make_model(architecture, widths=WIDTHS, image_size=33)
    first, second = (output.shape[1] for output in model.stage_outputs(np.zeros((33, 33, 3)))[:2])
    assert (first, second) == (16, 8)
    found = shapes(model)
    name = "layer2.0" if architecture == "convnet4" else "layer2.0.conv1"
    assert found[name] == (first, first, WIDTHS[1])
    assert found["classifier"] == (5,)


def test_later_blocks_of_a_stage_work_on_its_output(make_model):
    found = shapes(make_model("resnet24", widths=WIDTHS, image_size=32))
    assert found["layer2.0.conv3"] == (16, 16, 8)
    assert found["layer2.0.downsample.1"] == (16, 16, 8)
    assert found["layer2.1.conv1"] == (8, 8, 8)


def test_strides_of_the_wide_network_are_in_the_second_convolution(wide):
    found = shapes(wide)
    assert found["conv1"] == (33, 33, 16)
    assert found["layer1.3.conv2"] == (33, 33, 4)
    assert found["layer2.0.conv1"] == (33, 33, 8)
    assert found["layer2.0.bn2"] == (33, 33, 8)
    assert found["layer2.0.conv2"] == found["layer2.0.shortcut.0"] == (17, 17, 8)
    assert found["layer2.1.bn1"] == (17, 17, 8)
    assert found["layer3.0.bn1"] == (17, 17, 8)
    assert found["bn1"] == found["layer3.3.conv2"] == (9, 9, 12)
    outputs = wide.stage_outputs(np.zeros((1, 33, 33, 3)))
    assert [output.shape[1] for output in outputs] == [33, 17, 9]


def test_a_summary_is_a_table(make_model):
    summary = make_model("convnet4", widths=WIDTHS).summary()
    title, header, *rows = repr(summary).splitlines()
    assert title.startswith("convnet4 for an image of 16 x 16 x 3: ")
    assert title.endswith(f"{summary.multiply_adds:,} multiply-adds")
    assert header.split() == ["layer", "kind", "output", "parameters", "multiply-adds"]
    first = ["layer1.0", "convolution", "3x3", "16", "x", "16", "x", "4", "112", "27,648"]
    assert rows[0].split() == first
    assert len(rows) == len(summary.layers)
    assert summary._repr_html_().count("<tr>") == len(rows) + 1
