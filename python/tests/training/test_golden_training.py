"""Training steps agree with the PyTorch reference, within the tolerances of its README."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from golden import Golden, assert_relative, fill, fill_state, nhwc, topics

import skd


@dataclass(frozen=True)
class Tolerances:
    """`small` was chosen so that rounding flips no activation; in `step` a few of them flip."""

    loss_per_step: tuple
    gradient: float
    gradient_norm: float
    parameters: dict
    statistics: dict


SMALL = Tolerances((1e-4,) * 3, 2e-4, 1e-4, {1: 1e-3, 3: 5e-3}, {1: 1e-5, 3: 1e-4})
STEP = Tolerances((2e-5, 1e-3, 1e-1), 0.2, 1e-2, {1: 0.1}, {1: 1e-5, 3: 0.1})


def tolerances(topic):
    return SMALL if topic.endswith("small") else STEP


class Case:
    """One golden file: its models, batches and optimiser."""

    def __init__(self, topic):
        self.golden = golden = Golden(topic)
        self.tolerances = tolerances(topic)
        _, self.channels, self.side, _ = golden.numbers("meta.shape")
        self.sgd = skd.SGD(*golden["meta.sgd"].astype(np.float64).tolist())
        self.student = self.model("student")

    def model(self, which):
        model = skd.create_model(
            "resnet12",
            num_classes=int(self.golden["meta.classes"]),
            image_size=self.side,
            input_channels=self.channels,
            drop_rate=0.0,
        )
        fill_state(model, self.golden.seed(which))
        return model

    def images(self, step):
        name = f"input.{self.golden.numbers('meta.batch')[step - 1]}.{step}"
        return nhwc(fill(name, self.golden["meta.shape"], self.golden.seed("input")))

    def gen1(self, teacher, **options):
        """Return a Gen1 whose statistics see all views, as those of the golden files did."""
        return skd.Gen1(self.student, teacher, optimizer=self.sgd, bn_views="all", **options)

    def check_gradients(self, gradients, prefix="grad"):
        golden, limits = self.golden, self.tolerances
        for name in names(golden, "has_grad"):
            assert (name in gradients) == bool(golden[f"has_grad.{name}"]), name
        for name, gradient in gradients.items():
            flat = gradient.astype(np.float64).reshape(-1)
            sampled = flat[golden[f"idx.{name}"]]
            assert_relative(sampled, golden[f"{prefix}.{name}"], limits.gradient, f"grad {name}")
            if prefix == "grad":
                norm, total = golden[f"grad_stat.{name}"].astype(np.float64)
                assert abs(np.linalg.norm(flat) - norm) <= limits.gradient_norm * norm, name
                allowed = limits.gradient_norm * norm * math.sqrt(flat.size)
                assert abs(flat.sum() - total) <= allowed, name

    def check_state(self, step):
        golden, limits = self.golden, self.tolerances
        state = self.student.state_dict()
        for name in names(golden, f"step{step}"):
            index, stored = golden[f"idx.{name}"], golden[f"step{step}.{name}"].astype(np.float64)
            now = state[name].reshape(-1)[index].astype(np.float64)
            if "running_" in name:
                assert_relative(now, stored, limits.statistics[step], name)
            elif not golden[f"has_grad.{name}"]:
                np.testing.assert_array_equal(now, stored, name)
            elif step in limits.parameters:
                start = fill(name, state[name].shape, golden.seed("student")).reshape(-1)[index]
                change = np.abs(stored - start).max()
                allowed = 3e-7 + limits.parameters[step] * change
                assert np.abs(now - stored).max() <= allowed, name

    def check_three_steps(self, trainer, labels_of):
        for step in (1, 2, 3):
            losses = trainer.step(self.images(step), labels_of(step))
            expected = self.golden["loss_per_step"][step - 1]
            tolerance = self.tolerances.loss_per_step[step - 1]
            assert_relative(losses.total, expected, tolerance, f"loss of step {step}")
            if step in (1, 3):
                self.check_state(step)
        assert trainer.steps_taken == 3


def names(golden, prefix):
    return [key[len(prefix) + 1 :] for key in golden if key.startswith(f"{prefix}.")]


@pytest.mark.parametrize("topic", topics("gen0_*"))
def test_gen0_matches_the_reference(topic):
    case = Case(topic)
    golden, targets = case.golden, case.golden["targets"]
    gen0 = skd.Gen0(case.student, alpha=float(golden["meta.gamma"]), optimizer=case.sgd)

    losses = gen0.loss(case.images(1), targets[0])
    assert_relative(losses.total, golden["loss.total"], 1e-5, "total")
    assert_relative(losses.cross_entropy, golden["loss.ce"], 1e-5, "cross-entropy")
    assert_relative(losses.rotation, golden["loss.rotation"], 1e-5, "rotation")
    case.check_gradients(gen0.gradients())
    case.check_three_steps(gen0, lambda step: targets[step - 1])


@pytest.mark.parametrize("topic", topics("gen1_*"))
def test_gen1_matches_the_reference(topic):
    case = Case(topic)
    golden, teacher = case.golden, case.model("teacher")
    logits_tolerance = 3e-5 if topic.endswith("small") else 1e-4
    teacher_logits = teacher.logits(case.images(1))
    assert_relative(teacher_logits, golden["teacher_logits"], logits_tolerance, "teacher")

    gen1 = case.gen1(teacher, beta=0.1, temperature=4.0)
    losses = gen1.loss(case.images(1), None)
    assert_relative(losses.total, golden["loss.total"], 2e-5, "total")
    assert_relative(losses.distillation, golden["loss.kl"], 2e-5, "distillation")
    assert_relative(losses.twin, golden["loss.twin"], 2e-5, "twin")
    case.check_gradients(gen1.gradients())
    case.check_three_steps(gen1, lambda step: None)


@pytest.mark.parametrize("topic", topics("gen1_*"))
@pytest.mark.parametrize(
    ("prefix", "options"),
    [
        # as published: temperature 2, and a single twin divided by 3
        ("code", {"beta": 0.1 / 3, "temperature": 2.0}),
        # the golden is a sum over three twins, beta weighs their mean
        ("all", {"beta": 0.3, "temperature": 4.0, "twin_rotations": (90, 180, 270)}),
    ],
)
def test_gen1_variants_match_the_reference(topic, prefix, options):
    case = Case(topic)
    gen1 = case.gen1(case.model("teacher"), **options)
    losses = gen1.loss(case.images(1), None)
    assert_relative(losses.total, case.golden[f"{prefix}.total"], 2e-5, "total")
    case.check_gradients(gen1.gradients(), f"{prefix}.grad")


@pytest.mark.parametrize("topic", topics("gen1_*"))
def test_gen1_terms_match_the_reference(topic):
    case = Case(topic)
    golden, teacher, images = case.golden, case.model("teacher"), case.images(1)
    for temperature in (4.0, 2.0):
        losses = case.gen1(teacher, temperature=temperature).loss(images, None)
        assert_relative(losses.distillation, golden[f"kl_t{temperature:.0f}"], 2e-5, "KL")
    for rotation in (90, 180, 270):
        losses = case.gen1(teacher, twin_rotations=(rotation,)).loss(images, None)
        assert_relative(losses.twin, golden[f"twin_{rotation}"], 2e-5, "twin")
    losses = case.gen1(teacher, twin_rotations=(90, 180, 270)).loss(images, None)
    assert_relative(3 * losses.twin, golden["twin_all"], 2e-5, "twins")
