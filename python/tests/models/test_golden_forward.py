"""Evaluation of every backbone agrees with the PyTorch reference."""

import pytest
from golden import Golden, assert_relative, assert_sampled, fill, fill_state, nchw, nhwc, topics

import skd

TOLERANCE = 1e-5  # float32 torch itself is off by up to 9e-7


@pytest.mark.parametrize("topic", topics("forward_*"))
def test_evaluation_matches_the_reference(topic):
    golden = Golden(topic)
    name = topic.removeprefix("forward_").rsplit("_", 1)[0]
    backbone = name.removesuffix("_ssl")
    is_gated = backbone in ("seresnet18", "seresnet24")
    _, channels, side, _ = golden.numbers("meta.shape")
    model = skd.create_model(
        backbone.removeprefix("se") if is_gated else backbone,
        num_classes=int(golden["meta.classes"]),
        image_size=side,
        input_channels=channels,
        dropblock_size=int(golden["meta.dropblock"]) or None,
        use_se=is_gated,
        rotation_head="rotation" in golden,
    )
    fill_state(model, golden.seed("parameters"))
    images = nhwc(fill("input", golden["meta.shape"], golden.seed("input")))

    assert_relative(model.embed(images), golden["feature"], TOLERANCE, "feature")
    assert_relative(model.logits(images), golden["logits"], TOLERANCE, "logits")
    assert model.has_rotation_head == ("rotation" in golden)
    if model.has_rotation_head:
        assert_relative(model.rotation_logits(images), golden["rotation"], TOLERANCE, "rotation")

    outputs = model.stage_outputs(images)
    assert f"block{len(outputs)}.shape" in golden
    assert f"block{len(outputs) + 1}.shape" not in golden
    for number, output in enumerate(outputs, start=1):
        key = f"block{number}"
        assert list(nchw(output).shape) == golden.numbers(f"{key}.shape")
        assert_relative(output.mean(axis=(1, 2)), golden[f"{key}.mean"], TOLERANCE, key)
        assert_sampled(golden, key, nchw(output), TOLERANCE)
