"""Binding of skd.h. Private: use the functions of the package skd.

Made by `python -m nanobind.stubgen -m skd._native`, with the types of arrays shortened.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy
from numpy.typing import NDArray

_Bytes = NDArray[numpy.uint8]
_Integers = NDArray[numpy.int64]
_Floats = NDArray[numpy.float32]
_Doubles = NDArray[numpy.float64]
_Share = tuple[
    int,
    int,
    bool,
    Callable[[_Doubles], object],
    Callable[[_Floats], object],
    Callable[[], object],
]
_EpisodeOptions = tuple[int, int, int, int, int, int, float, bool, int]
_Term = tuple[str, bool, float, Callable[[_Floats, tuple[int, ...]], tuple[float, _Floats]]]

def set_num_threads(count: int) -> None: ...
def get_num_threads() -> int: ...
def instruction_set() -> str: ...
def available_memory() -> int: ...
def available_processors() -> int: ...
def live_memory() -> int: ...
def watch_mapping(start: int, length: int) -> None: ...
def unwatch_mapping(start: int) -> None: ...
def mapping_is_damaged(start: int) -> bool: ...
def conv2d(
    input: _Floats,
    weight: _Floats,
    bias: _Floats | None,
    stride: int,
    padding: int,
    output: _Floats,
) -> None: ...
def conv2d_backward(
    input: _Floats,
    weight: _Floats,
    d_output: _Floats,
    stride: int,
    padding: int,
    d_input: _Floats,
    d_weight: _Floats,
    d_bias: _Floats,
) -> None: ...
def linear(input: _Floats, weight: _Floats, bias: _Floats | None, output: _Floats) -> None: ...
def linear_backward(
    input: _Floats,
    weight: _Floats,
    d_output: _Floats,
    d_input: _Floats,
    d_weight: _Floats,
    d_bias: _Floats,
) -> None: ...
def max_pool2d(input: _Floats, output: _Floats) -> None: ...
def max_pool2d_backward(input: _Floats, d_output: _Floats, d_input: _Floats) -> None: ...
def global_average_pool(input: _Floats, output: _Floats) -> None: ...
def global_average_pool_backward(d_output: _Floats, d_input: _Floats) -> None: ...
def leaky_relu(input: _Floats, slope: float, output: _Floats) -> None: ...
def leaky_relu_backward(
    input: _Floats, d_output: _Floats, slope: float, d_input: _Floats
) -> None: ...
def rotate(images: _Floats, quarter_turns: int, output: _Floats) -> None: ...
def sgd_step(
    parameter: _Floats,
    d_parameter: _Floats,
    velocity: _Floats,
    learning_rate: float,
    momentum: float,
    weight_decay: float,
    first_step: bool,
) -> None: ...
def batch_norm2d_train(
    input: _Floats,
    weight: _Floats,
    bias: _Floats,
    eps: float,
    momentum: float,
    running_mean: _Floats,
    running_var: _Floats,
    output: _Floats,
    mean: _Floats,
    inverse_std: _Floats,
) -> None: ...
def batch_norm2d_eval(
    input: _Floats,
    weight: _Floats,
    bias: _Floats,
    eps: float,
    running_mean: _Floats,
    running_var: _Floats,
    output: _Floats,
) -> None: ...
def batch_norm2d_backward(
    input: _Floats,
    d_output: _Floats,
    weight: _Floats,
    mean: _Floats,
    inverse_std: _Floats,
    training: bool,
    d_input: _Floats,
    d_weight: _Floats,
    d_bias: _Floats,
) -> None: ...
def dropout_mask(rate: float, seed: int, step: int, kept: _Bytes) -> None: ...
def dropout(input: _Floats, kept: _Bytes, rate: float, output: _Floats) -> None: ...
def drop_block_gamma(rate: float, block_size: int, side: int, step: int) -> float: ...
def drop_block_corners(
    block_size: int, gamma: float, seed: int, step: int, corners: _Bytes
) -> None: ...
def drop_block(input: _Floats, corners: _Bytes, block_size: int, output: _Floats) -> float: ...
def squeeze_excitation(
    input: _Floats,
    weight1: _Floats,
    bias1: _Floats,
    weight2: _Floats,
    bias2: _Floats,
    output: _Floats,
) -> None: ...
def squeeze_excitation_backward(
    input: _Floats,
    weight1: _Floats,
    bias1: _Floats,
    weight2: _Floats,
    bias2: _Floats,
    d_output: _Floats,
    d_input: _Floats,
    d_weight1: _Floats,
    d_bias1: _Floats,
    d_weight2: _Floats,
    d_bias2: _Floats,
) -> None: ...
def cross_entropy(logits: _Floats, labels: _Integers, d_logits: _Floats) -> float: ...
def rotation_bce(logits: _Floats, labels: _Integers, d_logits: _Floats) -> float: ...
def distill_kl(
    student: _Floats, teacher: _Floats, temperature: float, d_student: _Floats
) -> float: ...
def twin_l2(
    rotated: _Floats, upright: _Floats, d_rotated: _Floats, d_upright: _Floats
) -> float: ...

AUGMENT_NONE: int

AUGMENT_CROP_FLIP: int

AUGMENT_FULL: int

def apply_augmentation(images: _Bytes, choices: _Bytes, padding: int, output: _Bytes) -> None: ...
def draw_augmentation(
    mode: int, padding: int, flip: bool, seed: int, epoch: int, choices: _Bytes
) -> None: ...
def augment(
    images: _Bytes,
    indices: _Integers | None,
    streams: _Integers | None,
    mode: int,
    padding: int,
    flip: bool,
    seed: int,
    epoch: int,
    support: bool,
    mean: _Floats,
    std: _Floats,
    output: _Floats,
) -> None: ...
def shuffle(seed: int, epoch: int, permutation: _Integers) -> None: ...

CLASSIFIER_LOGISTIC: int

CLASSIFIER_NEAREST_CENTROID: int

CLASSIFIER_NEAREST_NEIGHBOR: int

CLASSIFIER_NEAREST_CENTROID_COSINE: int

CLASSIFIER_NEAREST_NEIGHBOR_COSINE: int

CLASSIFIER_RIDGE: int

CLASSIFIER_LINEAR_SVC: int

CLASSIFIER_SIMPLE_SHOT: int

CLASSIFIER_BD_CSPN: int

CLASSIFIER_LAPLACIAN_SHOT: int

CLASSIFIER_TIM: int

CLASSIFIER_ALPHA_TIM: int

CLASSIFIER_PT_MAP: int

class ClassifierOptions:
    def __init__(
        self,
        *,
        kind: int,
        inverse_regularization: float,
        scale: float,
        pseudo_labels: int,
        neighbors: int,
        neighbor_weight: float,
        centers: bool,
        rectifies: bool,
        cross_entropy_weight: float,
        marginal_entropy_weight: float,
        conditional_entropy_weight: float,
        alpha: float,
        power: float,
        learning_rate: float,
        steps: int,
    ) -> None: ...

def classify_queries(
    head: ClassifierOptions,
    support: _Floats,
    support_labels: _Integers,
    query: _Floats,
    predictions: _Integers,
    scores: _Doubles,
    objectives: _Doubles,
) -> None: ...

OPEN_SET_CENTROID_COSINE: int
OPEN_SET_MAX_PROBABILITY: int

def calibrate_temperature(
    classifier: ClassifierOptions,
    features: _Floats,
    labels: _Integers,
    examples: _Integers,
    classes: int,
    plain: _Floats,
    prior: float,
    strength: float,
) -> float: ...
def rejection_threshold(
    features: _Floats,
    labels: _Integers,
    examples: _Integers,
    classes: int,
    plain: _Floats,
    known_rate: float,
) -> float: ...
def calibration_bins(
    confidences: _Doubles,
    is_correct: _Bytes,
    counts: _Integers,
    mean_confidences: _Doubles,
    accuracies: _Doubles,
) -> float: ...

METRIC_EUCLIDEAN: int

METRIC_COSINE: int

def episode_extents(
    options: _EpisodeOptions, first: int, n_way: _Integers, n_shot: _Integers
) -> None: ...
def sample_episodes(
    labels: _Integers,
    options: _EpisodeOptions,
    first: int,
    count: int,
    classes: _Integers,
    support: _Integers,
    query: _Integers,
    query_counts: _Integers,
) -> None: ...
def l2_normalize(features: _Floats, mean: _Floats | None, normalized: _Floats) -> None: ...
def logistic_regression_fit(
    features: _Floats,
    labels: _Integers,
    inverse_regularization: float,
    tolerance: float,
    max_iterations: int,
    coefficients: _Doubles,
    intercepts: _Doubles,
) -> tuple[int, bool]: ...
def ridge_classifier_fit(
    features: _Floats,
    labels: _Integers,
    alpha: float,
    coefficients: _Doubles,
    intercepts: _Doubles,
) -> None: ...
def linear_svc_fit(
    features: _Floats,
    labels: _Integers,
    inverse_regularization: float,
    tolerance: float,
    max_iterations: int,
    coefficients: _Doubles,
    intercepts: _Doubles,
) -> tuple[int, bool]: ...
def linear_decision(
    features: _Floats, coefficients: _Doubles, intercepts: _Doubles, decision: _Doubles
) -> None: ...
def softmax(logits: _Doubles, temperature: float, probabilities: _Doubles) -> None: ...
def class_centroids(features: _Floats, labels: _Integers, centroids: _Doubles) -> None: ...
def prototype_proximities(
    features: _Floats, prototypes: _Doubles, metric: int, proximities: _Doubles
) -> None: ...
def nearest_prototypes(
    features: _Floats, prototypes: _Doubles, metric: int, nearest: _Integers
) -> None: ...
def score_episodes(
    support: _Floats,
    support_labels: _Integers,
    features: _Floats,
    query: _Integers,
    query_labels: _Integers,
    n_way: int,
    classifier: ClassifierOptions,
    predictions: _Integers | None,
    accuracies: _Doubles,
) -> None: ...
def open_set_scores(
    features: _Floats, centroids: _Doubles, score: int, scores: _Doubles
) -> None: ...
def open_set_quality(
    known: NDArray[numpy.float64], unknown: NDArray[numpy.float64]
) -> tuple[float, float]: ...
def open_set_episodes(
    support: _Floats,
    support_labels: _Integers,
    features: _Floats,
    query: _Integers,
    query_labels: _Integers,
    n_way: int,
    score: int,
    aurocs: _Doubles,
    fpr95s: _Doubles,
) -> None: ...
def mean_ci95(values: NDArray[numpy.float64]) -> tuple[float, float]: ...

EVALUATION_BATCH: int

class ModelLock:
    def __enter__(self) -> None: ...
    def __exit__(
        self, kind: object | None, error: object | None, traceback: object | None
    ) -> None: ...

class Model:
    def __init__(
        self,
        *,
        architecture: str,
        num_classes: int,
        image_size: int,
        input_channels: int,
        widths: Sequence[int],
        drop_rate: float,
        dropblock_size: int,
        rotation_head: int,
        seed: int,
        is_bfloat16: bool,
        use_se: bool,
        zero_state: bool,
    ) -> None: ...
    def clone(self) -> Model: ...
    def locked(self) -> ModelLock: ...
    def state_dict(self) -> dict[str, NDArray[Any]]: ...
    def load(self, arrays: Sequence[NDArray[Any]]) -> None: ...
    def evaluation_memory(self, batch: int) -> int: ...
    def require_memory(self, batch: int, further_bytes: int) -> None: ...
    def evaluate(
        self,
        images: _Floats,
        embeddings: _Floats | None,
        logits: _Floats | None,
        rotation: _Floats | None,
    ) -> None: ...
    def stage_shape(self, batch: int, stage: int) -> list[int]: ...
    def stage_output(self, images: _Floats, stage: int, output: _Floats) -> None: ...
    @property
    def num_classes(self) -> int: ...
    @property
    def image_size(self) -> int: ...
    @property
    def input_channels(self) -> int: ...
    @property
    def embedding_dim(self) -> int: ...
    @property
    def parameter_count(self) -> int: ...
    @property
    def minimum_image_size(self) -> int: ...
    @property
    def stage_count(self) -> int: ...
    @property
    def has_rotation_head(self) -> bool: ...

SUPERVISED: int

GEN0: int

GEN1: int

DISTILLED: int

class TrainerLock:
    def __enter__(self) -> None: ...
    def __exit__(
        self, kind: object | None, error: object | None, traceback: object | None
    ) -> None: ...

class Trainer:
    def __init__(
        self,
        model: Model,
        teacher: Model | None,
        *,
        objective: int,
        rotation_weight: float,
        twin_weight: float,
        cross_entropy_weight: float,
        distillation_weight: float,
        temperature: float,
        twin_90: bool,
        twin_180: bool,
        twin_270: bool,
        all_views: bool,
        rotations_per_image: int,
        learning_rate: float,
        momentum: float,
        weight_decay: float,
        seed: int,
    ) -> None: ...
    def step(
        self,
        images: _Floats,
        labels: _Integers | None,
        terms: Sequence[_Term],
        share: _Share | None,
    ) -> tuple[float, float, float, float, float, float, float]: ...
    def loss(
        self,
        images: _Floats,
        labels: _Integers | None,
        terms: Sequence[_Term],
        share: _Share | None,
    ) -> tuple[float, float, float, float, float, float, float]: ...
    def gradients(self) -> dict[str, _Floats]: ...
    def last_losses(self) -> tuple[float, float, float, float, float, float, float]: ...
    def velocities(self) -> dict[str, _Floats]: ...
    def locked(self) -> TrainerLock: ...
    def load(self, velocities: Sequence[_Floats], step: int) -> None: ...
    @property
    def steps_taken(self) -> int: ...
    def step_memory(self, batch: int, side: int) -> int: ...
    def require_memory(self, batch: int, side: int, further_bytes: int) -> None: ...
    def set_learning_rate(self, learning_rate: float) -> None: ...

def step_learning_rate(epoch: int, base: float, factor: float, milestones: _Integers) -> float: ...
def cosine_learning_rate(epoch: int, epochs: int, base: float, factor: float) -> float: ...
def one_cycle_learning_rate(
    progress: float, epochs: float, warmup: float, base: float, factor: float
) -> float: ...

CONV2D_AUTOMATIC: int
CONV2D_WINOGRAD: int
CONV2D_GEMM: int
CONV2D_WINOGRAD_BFLOAT16: int
CONV2D_FORWARD: int
CONV2D_INPUT_GRADIENT: int
CONV2D_WEIGHT_GRADIENT: int
CONV2D_EVALUATION: int

def peak_gflops(threads: int) -> float: ...
def conv2d_algorithm(
    batch: int,
    height: int,
    width: int,
    channels: int,
    output_channels: int,
    kernel_size: int,
    stride: int,
    padding: int,
    computation: int,
) -> int: ...
def time_conv2d(
    batch: int,
    height: int,
    width: int,
    channels: int,
    output_channels: int,
    kernel_size: int,
    stride: int,
    padding: int,
    computation: int,
    algorithm: int,
    pack_seconds: _Doubles,
    seconds: _Doubles,
) -> None: ...
