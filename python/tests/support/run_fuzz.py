"""Random calls of the public names: ``run_fuzz.py SEED CALLS``.

Each call begins as one that is right; some of its arguments are then replaced by others. A call
may return, or raise an exception that the package documents; any other, or a crash, is a fault.
The call is announced before it is made, so that the last line of a process that died names it.
The number of epochs stays as it is: 2^40 of them are legal, and do not end.
"""

import contextlib
import random
import resource
import sys
import tempfile
from pathlib import Path

import numpy as np

import skd
from skd import losses, ops, profiling

LEGAL = (ValueError, TypeError, MemoryError, OSError, skd.SKDError)
ADDRESS_SPACE = 12 << 30  # bytes; what is larger is refused to NumPy and the library alike
NAN, INF = float("nan"), float("inf")
RNG = np.random.default_rng(0)


def floats(*shape):
    return lambda: RNG.standard_normal(shape).astype(np.float32)


def positive(*shape):
    return lambda: RNG.random(shape).astype(np.float32) + 0.1


def pixels(*shape):
    return lambda: RNG.integers(0, 256, shape, dtype=np.uint8)


def bits(*shape):
    return lambda: RNG.integers(0, 2, shape, dtype=np.uint8)


def integers(bound, *shape):
    return lambda: np.arange(int(np.prod(shape))).reshape(shape) % bound


def one_of(*values):
    return lambda: values[RNG.integers(len(values))]


SEED, STEP = one_of(0, 1, 2**63), one_of(0, 1, 2**40)
X, GATES = floats(2, 6, 6, 4), (floats(2, 4), floats(2), floats(4, 2), floats(4))
NORM = (floats(4), floats(4))
LOGITS, LABELS = floats(5, 3), integers(3, 5)
PROBABILITIES = one_of(np.full((5, 3), 1 / 3))
FEATURES, CLASSES = floats(9, 4), integers(3, 9)
TRANSDUCTIVE = (
    skd.SimpleShot, skd.BDCSPN, skd.LaplacianShot, skd.TIM, skd.AlphaTIM, skd.PTMAP,
)  # fmt: skip
BATCH, PIXELS = floats(4, 16, 16, 3), pixels(12, 16, 16, 3)


class Subjects:
    """The objects that methods are called on, and where they write."""

    def __init__(self, folder):
        options = {"num_classes": 3, "image_size": 16, "widths": (4, 4, 4, 4)}
        self.model = skd.create_model("resnet12", **options)
        self.model.normalization = (0.5, 0.5)
        self.trained = skd.create_model("resnet12", **options)
        self.split = skd.datasets.from_arrays(PIXELS(), np.arange(12) % 3)
        self.trainers = (
            skd.Supervised(self.trained, terms=[skd.Term("t", lambda r, *_: (0.0, 0 * r))]),
            skd.Gen0(self.trained),
            skd.Gen1(self.trained, self.model),
            skd.Distilled(self.trained, self.model),
        )
        self.sampler = skd.EpisodeSampler(np.arange(40) % 4, n_way=2, n_query=3)
        self.file = folder / "model.safetensors"
        self.output = folder / "output.safetensors"
        self.features = folder / "features.npz"
        np.savez(self.features, features=FEATURES(), labels=CLASSES())
        self.onnx = folder / "model.onnx"
        self.model.save(self.file)
        self.classifiers = {
            kind.__name__: kind().fit(FEATURES(), CLASSES())
            for kind in (
                skd.LogisticRegression,
                skd.RidgeClassifier,
                skd.LinearSVC,
                skd.NearestCentroid,
                skd.NearestNeighbor,
                skd.CalibratedClassifier,
            )
        }
        self.few_shot = skd.FewShotClassifier(self.model, n_support_copies=1, reject=9)
        self.few_shot.fit(PIXELS(), np.arange(12) % 3)
        self.few_shot_file = folder / "classifier.safetensors"
        self.few_shot.save(self.few_shot_file)


def functions(subjects):
    """Return {name: (callable, positional arguments, keyword arguments)}."""
    ranks = {"communicator": one_of(None), "sync_batch_norm": one_of(False, True)}
    block = {"block_size": one_of(1, 2), "step": STEP}
    episodes = {
        "n_way": one_of(1, 2, 3), "n_shot": one_of(1, 2), "n_query": one_of(1, 2),
        "n_episodes": one_of(1, 3), "seed": SEED, "legacy_episodes": one_of(False, True),
        "classifier": one_of("logistic", "ridge", "linear_svc", "nearest_centroid", "simple_shot",
                             "pt_map"),
        "data_name": one_of(None, "data"), "episodes_file": one_of(None),
        "query_distribution": one_of("uniform", "dirichlet"),
        "query_concentration": one_of(0.5, 2.0), "open_set": one_of(None, 1),
    }  # fmt: skip
    many = {
        **{name: maker for name, maker in episodes.items() if name != "classifier"},
        "heads": one_of(["ridge", "simple_shot"], {"a": "logistic", "b": skd.NearestCentroid()}),
        "baseline": one_of(None),
    }  # fmt: skip
    model, split, sampler = subjects.model, subjects.split, subjects.sampler
    file = one_of(subjects.file)
    return {
        "ops.conv2d": (ops.conv2d, [X, floats(5, 4, 3, 3), floats(5)],
                       {"stride": one_of(1, 2), "padding": one_of(0, 1)}),
        "ops.conv2d_backward": (ops.conv2d_backward,
                                [X, floats(5, 4, 3, 3), floats(2, 6, 6, 5)],
                                {"stride": one_of(1), "padding": one_of(1)}),
        "ops.linear": (ops.linear, [floats(5, 4), floats(3, 4), floats(3)], {}),
        "ops.linear_backward": (ops.linear_backward,
                                [floats(5, 4), floats(3, 4), floats(5, 3)], {}),
        "ops.batch_norm2d": (ops.batch_norm2d, [X, *NORM, floats(4), positive(4)],
                             {"training": one_of(False, True), "eps": one_of(1e-5)}),
        "ops.batch_norm2d_backward": (ops.batch_norm2d_backward,
                                      [X, floats(4), floats(4), positive(4), X],
                                      {"training": one_of(False, True)}),
        "ops.leaky_relu": (ops.leaky_relu, [X], {"slope": one_of(0.1)}),
        "ops.leaky_relu_backward": (ops.leaky_relu_backward, [X, X], {"slope": one_of(0.1)}),
        "ops.relu": (ops.relu, [X], {}),
        "ops.relu_backward": (ops.relu_backward, [X, X], {}),
        "ops.max_pool2d": (ops.max_pool2d, [X], {}),
        "ops.max_pool2d_backward": (ops.max_pool2d_backward, [X, floats(2, 3, 3, 4)], {}),
        "ops.global_average_pool": (ops.global_average_pool, [X], {}),
        "ops.global_average_pool_backward": (ops.global_average_pool_backward, [floats(2, 4)],
                                             {"height": one_of(3), "width": one_of(5)}),
        "ops.dropout_mask": (ops.dropout_mask, [one_of((2, 3), (4,), (0, 2))],
                             {"rate": one_of(0.0, 0.5), "seed": SEED, "step": STEP}),
        "ops.dropout": (ops.dropout, [X, bits(2, 6, 6, 4)], {"rate": one_of(0.5)}),
        "ops.dropout_backward": (ops.dropout_backward, [X, bits(2, 6, 6, 4)],
                                 {"rate": one_of(0.5)}),
        "ops.drop_block_gamma": (ops.drop_block_gamma, [],
                                 {**block, "side": one_of(5), "rate": one_of(0.1)}),
        "ops.drop_block_corners": (ops.drop_block_corners, [one_of((2, 6, 6, 4))],
                                   {**block, "gamma": one_of(0.0, 0.1), "seed": SEED}),
        "ops.drop_block": (ops.drop_block, [X, bits(2, 5, 5, 4)], {"block_size": one_of(2)}),
        "ops.drop_block_backward": (ops.drop_block_backward, [X, bits(2, 5, 5, 4)],
                                    {"block_size": one_of(2)}),
        "ops.squeeze_excitation": (ops.squeeze_excitation, [X, *GATES], {}),
        "ops.squeeze_excitation_backward": (ops.squeeze_excitation_backward, [X, *GATES, X], {}),
        "ops.rotate": (ops.rotate, [X, one_of(0, 1, 2, 3)], {}),
        "ops.sgd_step": (ops.sgd_step, [floats(7), floats(7), floats(7)],
                         {"optimizer": one_of(None, skd.SGD())}),
        "losses.cross_entropy": (losses.cross_entropy, [LOGITS, LABELS], {}),
        "losses.rotation_bce": (losses.rotation_bce, [LOGITS, LABELS], {}),
        "losses.distill_kl": (losses.distill_kl, [LOGITS, LOGITS], {"temperature": one_of(4.0)}),
        "losses.twin_l2": (losses.twin_l2, [LOGITS, LOGITS], {}),
        "profiling.ConvolutionShape": (profiling.ConvolutionShape,
                                       [one_of(1, 2), one_of(8), one_of(8), one_of(3, 32),
                                        one_of(4, 32)],
                                       {"kernel_size": one_of(1, 3), "padding": one_of(0)}),
        "profiling.resnet12_convolutions": (profiling.resnet12_convolutions,
                                            [one_of(2), one_of(32)], {}),
        "profiling.forward_flops": (profiling.forward_flops, [one_of(())], {}),
        "profiling.training_flops": (profiling.training_flops, [one_of(())], {}),
        "skd.augment": (skd.augment, [PIXELS],
                        {"seed": SEED, "epoch": STEP, "mode": one_of("full", "crop_flip"),
                         "size": one_of(None, 16), "padding": one_of(None, 2),
                         "mean": floats(3), "std": positive(3),
                         "positions": one_of(None, [0, 5])}),
        "skd.apply_augmentation": (skd.apply_augmentation,
                                   [PIXELS, lambda: skd.draw_augmentation(12, seed=1)], {}),
        "skd.draw_augmentation": (skd.draw_augmentation, [one_of(0, 12)],
                                  {"seed": SEED, "epoch": STEP, "padding": one_of(4)}),
        "skd.epoch_order": (skd.epoch_order, [one_of(0, 9)], {"seed": SEED, "epoch": STEP}),
        "skd.step_lr": (skd.step_lr, [one_of(3)],
                        {"base": one_of(0.1), "decay_epochs": one_of([1, 2]),
                         "factor": one_of(0.1)}),
        "skd.one_cycle_lr": (
            skd.one_cycle_lr,
            [one_of(1.5)],
            {"epochs": one_of(5), "base": one_of(0.1), "warmup_epochs": one_of(0, 1)},
        ),
        "skd.cosine_lr": (skd.cosine_lr, [one_of(3)], {"epochs": one_of(5), "base": one_of(0.1)}),
        "skd.mean_ci95": (skd.mean_ci95, [floats(7)], {}),
        "skd.reliability": (skd.reliability, [PROBABILITIES, LABELS],
                            {"classes": one_of(None, (0, 1, 2)), "n_bins": one_of(1, 15)}),
        "skd.expected_calibration_error": (skd.expected_calibration_error, [PROBABILITIES, LABELS],
                                           {"n_bins": one_of(1, 15)}),
        "skd.rejection_threshold": (skd.rejection_threshold, [FEATURES, CLASSES],
                                    {"known_rate": one_of(0.5, 0.95), "groups": one_of(None)}),
        "skd.l2_normalize": (skd.l2_normalize, [FEATURES], {"mean": floats(4)}),
        "skd.set_num_threads": (skd.set_num_threads, [one_of(1, 2)], {}),
        "skd.SGD": (skd.SGD, [], {"lr": one_of(0.1), "momentum": one_of(0.9),
                                  "weight_decay": one_of(0.0)}),
        "skd.Term": (skd.Term, [one_of("t"), one_of(max)],
                     {"on": one_of("logits", "embedding"), "weight": one_of(-1.0)}),
        "skd.Supervised": (skd.Supervised, [one_of(subjects.trained)],
                           {"seed": SEED, "terms": one_of(()), **ranks}),
        "skd.Gen0": (skd.Gen0, [one_of(subjects.trained)],
                     {"alpha": one_of(2.0), "seed": SEED, "optimizer": one_of(skd.SGD()),
                      **ranks}),
        "skd.Gen1": (skd.Gen1, [one_of(subjects.trained), one_of(model)],
                     {"beta": one_of(0.1), "temperature": one_of(4.0),
                      "twin_rotations": one_of((180,), (90, 270)), "bn_views": one_of("all"),
                      **ranks}),
        "skd.Distilled": (skd.Distilled, [one_of(subjects.trained), one_of(model)],
                          {"alpha": one_of(0.5), "temperature": one_of(4.0), **ranks}),
        "skd.create_model": (skd.create_model, [one_of("resnet12", "resnet18", "resnet24")],
                             {"num_classes": one_of(3), "image_size": one_of(16, 33),
                              "input_channels": one_of(1, 3), "widths": one_of((4, 4, 4, 8)),
                              "use_se": one_of(False, True), "drop_rate": one_of(None, 0.1),
                              "dropblock_size": one_of(None, 1), "seed": SEED,
                              "precision": one_of("float32", "bfloat16")}),
        "skd.load_model": (skd.load_model, [file], {}),
        "skd.load_pretrained": (skd.load_pretrained, [one_of("photos-84")], {}),
        "skd.threads": (skd.threads, [one_of(1, 2)], {}),
        "skd.import_torch": (skd.import_torch, [file], {"image_size": one_of(16)}),
        "skd.evaluate": (skd.evaluate, [one_of(model), one_of(split)],
                         {**episodes, "n_support_copies": one_of(1, 2),
                          "communicator": one_of(None)}),
        "skd.evaluate_features": (skd.evaluate_features, [floats(24, 4), integers(3, 24)],
                                  {**episodes, "query": one_of(None)}),
        "skd.compare": (skd.compare, [one_of({"m": model}), one_of({"d": split})],
                        {"n_way": one_of(2), "n_query": one_of(1), "n_episodes": one_of(2),
                         "n_support_copies": one_of(1), "heads": one_of(["ridge"])}),
        "skd.FeatureSet": (skd.FeatureSet, [floats(24, 4), integers(3, 24)],
                           {"class_names": one_of(None, ("a", "b", "c")), "meta": one_of(None)}),
        "skd.load_features": (skd.load_features, [one_of(subjects.features)],
                              {"labels": one_of(None)}),
        "skd.evaluate_many": (skd.evaluate_many, [one_of(model), one_of(split)],
                              {**many, "n_support_copies": one_of(1),
                               "communicator": one_of(None)}),
        "skd.evaluate_many_features": (skd.evaluate_many_features,
                                       [floats(24, 4), integers(3, 24)],
                                       {**many, "query": one_of(None)}),
        "skd.open_set_scores": (skd.open_set_scores, [floats(7, 4), floats(3, 4)],
                                {"score": one_of("centroid_cosine", "max_probability")}),
        "skd.open_set_quality": (skd.open_set_quality, [floats(7), floats(3)], {}),
        "skd.EpisodeSampler": (skd.EpisodeSampler, [integers(3, 24)],
                               {"n_way": one_of(2, (1, 2)), "n_query": one_of(2), "seed": SEED,
                                "query_distribution": one_of("uniform", "dirichlet"),
                                "open_set": one_of(None, 1)}),
        "EpisodeSampler.sample": (sampler.sample, [one_of(0, 7), one_of(0, 2)], {}),
        "EpisodeSampler.episode": (sampler.episode, [one_of(0, 7)], {}),
    }  # fmt: skip


def methods(subjects):
    """Return {name: (callable, positional arguments, keyword arguments)}."""
    model, output = subjects.model, one_of(subjects.output)
    result = {
        "Model.embed": (model.embed, [BATCH], {}),
        "Model.logits": (model.logits, [PIXELS], {}),
        "Model.rotation_logits": (model.rotation_logits, [BATCH], {}),
        "Model.stage_outputs": (model.stage_outputs, [BATCH], {}),
        "Model.features": (model.features, [BATCH, one_of("embedding", "logits")], {}),
        "Model.evaluation_memory": (model.evaluation_memory, [one_of(0, 64, 999)], {}),
        "Model.load_state_dict": (model.load_state_dict, [lambda: state_of(model)], {}),
        "Model.save": (model.save, [output], {}),
        "Model.to_onnx": (model.to_onnx, [one_of(subjects.onnx)],
                          {"classifier": one_of(None, subjects.few_shot),
                           "input_dtype": one_of(None, "uint8", "float32")}),
        "Model.clone": (model.clone, [], {}),
        "Model.fit": (model.fit, [BATCH], {}),
        "Model.fit_transform": (model.fit_transform, [BATCH], {}),
        "Model.transform": (model.transform, [BATCH], {}),
        "Model.state_dict": (model.state_dict, [], {}),
        "Model.snapshot": (model.snapshot, [], {}),
        "FewShotClassifier.fit": (subjects.few_shot.fit, [PIXELS, integers(3, 12)], {}),
        "FewShotClassifier.predict": (subjects.few_shot.predict, [PIXELS], {}),
        "FewShotClassifier.score": (subjects.few_shot.score, [PIXELS, integers(3, 12)], {}),
        "FewShotClassifier.predict_proba": (
            lambda images: subjects.few_shot.predict_proba(images), [PIXELS], {}),
        "FewShotClassifier.known_scores": (subjects.few_shot.known_scores, [PIXELS], {}),
        "FewShotClassifier.save": (subjects.few_shot.save, [output], {}),
        "FewShotClassifier.load": (skd.FewShotClassifier.load, [one_of(subjects.few_shot_file)],
                                   {}),
        "skd.FewShotClassifier": (skd.FewShotClassifier, [one_of(model)],
                                  {"n_support_copies": one_of(1)}),
    }  # fmt: skip
    for trainer in subjects.trainers:
        name = type(trainer).__name__
        batch = [BATCH, integers(3, 4)]
        result |= {
            f"{name}.step": (trainer.step, batch, {}),
            f"{name}.loss": (trainer.loss, batch, {}),
            f"{name}.step_memory": (trainer.step_memory, [one_of(1, 64)], {}),
            f"{name}.require_memory": (trainer.require_memory, [one_of(1, 8), one_of(0, 9)], {}),
            f"{name}.load_state_dict": (trainer.load_state_dict, [lambda t=trainer: state_of(t)],
                                       {}),
            f"{name}.fit": (trainer.fit, [one_of(subjects.split)],
                            {"epochs": one_of(1), "batch_size": one_of(6), "seed": SEED,
                             "decay_epochs": one_of(()), "decay_factor": one_of(0.1),
                             "padding": one_of(2), "flip": one_of(True),
                             "schedule": one_of("step", "cosine", "one_cycle"),
                             "progress": one_of(False)}),
            f"{name}.plan": (trainer.plan, [one_of(subjects.split)],
                             {"epochs": one_of(1), "batch_size": one_of(6)}),
            f"{name}.state_dict": (trainer.state_dict, [], {}),
            f"{name}.snapshot": (trainer.snapshot, [], {}),
            f"{name}.gradients": (trainer.gradients, [], {}),
            f"{name}.recipe": (trainer.recipe, [], {}),
        }  # fmt: skip
    for name, classifier in subjects.classifiers.items():
        result[f"skd.{name}"] = (type(classifier), [], {})
        result[f"{name}.fit"] = (type(classifier)().fit, [FEATURES, CLASSES], {})
        result[f"{name}.score"] = (classifier.score, [FEATURES, CLASSES], {})
        for method in ("predict", "predict_proba", "decision_function"):
            if hasattr(classifier, method):
                result[f"{name}.{method}"] = (getattr(classifier, method), [FEATURES], {})
    for kind in TRANSDUCTIVE:
        result[f"skd.{kind.__name__}"] = (kind, [], {})
        result[f"{kind.__name__}.fit_predict"] = (
            kind().fit_predict, [FEATURES, CLASSES, floats(6, 4)], {})  # fmt: skip
    return result


def state_of(owner):
    return {name: np.array(view) for name, view in owner.state_dict().items()}


STRANGE = (
    None, True, -1, 0, 1, 3, 2**31, 2**40, 2**63 - 1, 2**64, -(2**70), 0.5, 1e30, -1.0, NAN, INF,
    -INF, 1j, "", "text", "\0", b"bytes", "logistic", (), [], [[]], [1, [2]], {}, {"a": 1}, set(),
    object(), int, len, lambda *_: None, slice(2), Ellipsis, range(3), np.float32(NAN),
    np.int8(-1), np.array(3), np.zeros(0), np.zeros((0, 3)), np.ones((2, 2, 2, 2, 2)),
    np.array(["a", "b"]), np.array([None, 1]), np.array([1 + 2j]), np.datetime64("2020-01-01"),
    np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f4")]), np.ma.masked_array([1.0], [True]),
    Path("nowhere/at/all"), np.full((2, 16, 16, 3), NAN), np.full((4, 16, 16, 3), 1e300),
)  # fmt: skip


def other_array(array, chance):
    """Return an array that is wrong, or right in an unusual way."""
    changes = (
        lambda a: a.astype(chance.choice(["f8", "f2", ">f4", "i4", "u1", "i8", "?", "u8", "c8"])),
        lambda a: np.asfortranarray(a),
        lambda a: a[::-1],
        lambda a: a[..., ::-1],
        lambda a: a.T,
        lambda a: a[:0],
        lambda a: a[..., :0],
        lambda a: a[None],
        lambda a: a[0] if len(a) else a,
        lambda a: a[1:],
        lambda a: a.tolist(),
        lambda a: a.astype(object),
        lambda a: np.broadcast_to(a.ravel()[:1].reshape((1,) * a.ndim), (2**36, *a.shape[1:])),
        lambda a: np.broadcast_to(a.ravel()[:1].reshape((1,) * a.ndim), (2**62,)),
        lambda a: with_value(a, chance.choice([NAN, INF, -INF, 1e38, -1.0, 255.0])),
        lambda a: unaligned(a),
        lambda a: read_only(a),
    )
    if not array.ndim or not array.size:
        return array.astype("f8")
    return chance.choice(changes)(array)


def with_value(array, value):
    changed = array.astype(np.float64) if array.dtype.kind in "iu" else array.copy()
    changed.ravel()[len(changed) // 2] = value
    return changed


def unaligned(array):
    memory = np.zeros(array.nbytes + 1, dtype=np.uint8)
    view = memory[1:].view(array.dtype).reshape(array.shape)
    view[...] = array
    return view


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


def replaced(value, chance):
    if isinstance(value, np.ndarray) and value.dtype.names is None and chance.random() < 0.7:
        try:
            return other_array(value, chance)
        except ValueError:  # an array of one axis has no others to broadcast
            return value[:0]
    if isinstance(value, dict) and value and chance.random() < 0.8:
        changed = dict(value)
        name = chance.choice(list(changed))
        changed[name] = replaced(changed[name], chance)
        return changed
    return chance.choice(STRANGE)


def described(value):
    if isinstance(value, np.ndarray):
        return f"<{value.dtype} {value.shape} strides {value.strides}>"
    return repr(value)[:60]


def run(seed, calls):
    """Make the calls; return how many returned and how many raised."""
    chance = random.Random(seed)
    returned = raised = 0
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        subjects = Subjects(Path(folder))
        table = list((functions(subjects) | methods(subjects)).items())
        for number in range(calls):
            name, (call, positional, keywords) = chance.choice(table)
            arguments = [make() for make in positional]
            options = {key: make() for key, make in keywords.items()}
            places = [*range(len(arguments)), *(option for option in options if option != "epochs")]
            for place in chance.sample(places, min(len(places), chance.choice([0, 1, 1, 1, 2]))):
                target = arguments if isinstance(place, int) else options
                target[place] = replaced(target[place], chance)
            shown = ", ".join(
                [*map(described, arguments), *(f"{k}={described(v)}" for k, v in options.items())]
            )
            print(f"seed {seed}, call {number}: {name}({shown})", flush=True)
            try:
                call(*arguments, **options)
                returned += 1
            except LEGAL as error:
                raised += 1
                if not str(error):
                    raise AssertionError("an exception without a message") from error
    return returned, raised


def names():
    """Return the names of what is called."""
    with tempfile.TemporaryDirectory() as folder:
        subjects = Subjects(Path(folder))
        return {*functions(subjects), *methods(subjects)}


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, resource.RLIM_INFINITY))
    np.seterr(all="ignore")
    counts = run(*map(int, sys.argv[1:]))
    print(f"{counts[0]} calls returned, {counts[1]} raised what they may")
