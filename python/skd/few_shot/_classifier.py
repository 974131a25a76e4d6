"""Few-shot classification: a model with a classifier on its features."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _native
from skd import _validation as check
from skd._files.mapped import require_whole
from skd._memory import new_array
from skd._refusals import delegated
from skd.augmentation import default_padding, mode_of
from skd.choices import Augmentation, Features, HeadName
from skd.classifiers import inputs, l2_normalize
from skd.classifiers.estimator import Classifier, Parameters, accuracy
from skd.classifiers.kinds import HEADS, head_name
from skd.evaluation.protocol import MOST_COPIES
from skd.exporting import Exportable, Head
from skd.few_shot import _classifier_files, pictures
from skd.models import FEATURES, Model
from skd.models.inputs import batch_of
from skd.models.plausible_floats import require_plausible


class FewShotClassifier(Parameters, Exportable):
    """Classify images from a few examples of each class.

    A small classifier, the head, is fitted to the L2-normalised features of the examples, as
    `skd.evaluate` does in each episode.

    Images are given as an array, as an image of Pillow or a sequence of them, as the path of a
    picture, as a sequence of paths, or as a folder. An array of one image needs no first axis.
    Pictures are read with Pillow, turned upright, converted to the model's channels, scaled so that
    the shorter side is the model's image size, and cropped to the central square.

    Parameters
    ----------
    model : Model
        Model that computes the features; it is not trained.
    head : str, default="logistic"
        Classifier on the features: "logistic", "nearest_centroid", "nearest_centroid_cosine",
        "nearest_neighbor", "nearest_neighbor_cosine", "ridge" or "linear_svc", with the same
        parameters as in `skd.evaluate`. Transductive heads need all queries at once and are
        refused.
    features : {"embedding", "logits"}, default="embedding"
        Output of the model.
    n_support_copies : int, default=5
        Augmented copies of each example; without augmentation one copy is used.
    support_augmentation : {"crop_flip", "full", "none"}, default="crop_flip"
        Augmentation of the examples; see `skd.augment`.
    flip : bool, default=True
        Whether that augmentation mirrors images.
    resize : bool, default=False
        Scale arrays of square images of another size; if False, they are refused. Pictures are
        always scaled.
    seed : int, default=0
        Seed of the augmentation.

    Attributes
    ----------
    classes_ : ndarray of shape (num_classes,)
        Labels, ascending.
    head_ : Classifier
        The fitted head.

    Examples
    --------
    >>> test = skd.datasets.load("glyphs").test
    >>> model = skd.create_model("convnet4", num_classes=5, image_size=32)
    >>> model.normalization = (test.mean, test.std)
    >>> names = np.array(test.class_names)[test.labels]
    >>> classifier = skd.FewShotClassifier(model).fit(test.images[::20], names[::20])
    >>> classifier.predict(test.images[:3]).shape
    (3,)
    """

    classes_: NDArray[Any]
    head_: Classifier

    def __init__(
        self,
        model: Model,
        *,
        head: HeadName = "logistic",
        features: Features = "embedding",
        n_support_copies: int = 5,
        support_augmentation: Augmentation = "crop_flip",
        flip: bool = True,
        resize: bool = False,
        seed: int = 0,
    ) -> None:
        self.model = model
        self.head = head
        self.features = features
        self.n_support_copies = n_support_copies
        self.support_augmentation = support_augmentation
        self.flip = flip
        self.resize = resize
        self.seed = seed

    def __sklearn_clone__(self) -> FewShotClassifier:
        """Return an unfitted classifier with the same model."""
        return type(self)(**self.get_params())

    def fit(self, images: Any, labels: ArrayLike | None = None) -> Self:
        """Fit the head to examples.

        Parameters
        ----------
        images : array-like, PIL.Image.Image, path, or sequence of images or paths
            Examples: an array of shape (n_images, image_size, image_size, input_channels) and
            dtype uint8, or float32 already normalised, which is not augmented; pictures; or,
            without labels, a folder that holds a folder of pictures for each class.
        labels : array-like of shape (n_images,), optional
            Classes of the images, any integers or strings; at least two different classes.

        Returns
        -------
        self : FewShotClassifier
            The fitted classifier.

        Raises
        ------
        ValueError
            If an argument or a parameter is not legal, a picture cannot be read, or images are
            augmented and the model has no normalisation; an earlier fit is kept.
        TypeError
            If an argument or a parameter has another type than documented.
        FileNotFoundError
            If there is no such picture.
        """
        owner = "FewShotClassifier.fit"
        self._check_parameters(owner)
        if labels is None:
            files, labels = pictures.classes_of(images, owner)
            examples = self._pictures(files, owner)
        else:
            examples = self._images(images, owner)
        classes, positions = inputs.encoded_labels(
            labels, owner, length=len(examples), name="labels", of="images"
        )
        with self.model._native.locked():  # the model must not change between the copies
            features, copies = self._example_features(examples, owner)
        head = HEADS[self.head].make().fit(features, np.tile(positions, copies))
        head.classes_ = classes
        self.head_, self.classes_ = head, classes
        return self

    def predict(self, images: Any) -> NDArray[Any]:
        """Return the class of each image.

        Parameters
        ----------
        images : array-like, PIL.Image.Image, path, or sequence of images or paths
            Array as for `fit`, pictures, or a folder whose pictures are read in the order of their
            names.

        Returns
        -------
        labels : ndarray of shape (n_images,)
            Predicted classes; an array of length 1 for a single image.

        Raises
        ------
        NotFittedError
            If the classifier is not fitted.
        ValueError
            If the images are not legal.
        """
        return self._fitted("predict").predict(self._query_features(images, "predict"))

    @property
    def predict_proba(self) -> Callable[[Any], NDArray[np.float64]]:
        """Return the probability of each class: ``predict_proba(images)``, as for `predict`.

        For the logistic head it is the softmax of the scores. For the centroid heads it is the
        softmax of minus the squared distances, or of the cosines; it is not calibrated. For other
        heads this property raises an AttributeError.
        """
        heads = [head for head, kind in HEADS.items() if hasattr(kind.make(), "predict_proba")]
        if not isinstance(self.head, str) or self.head not in heads:
            legal = ", ".join(map(repr, heads))
            raise AttributeError(
                f"The head of a FewShotClassifier with predict_proba must be one of {legal}; "
                f"got {self.head!r}."
            )
        return self._probabilities

    def _probabilities(self, images: Any) -> NDArray[np.float64]:
        head: Any = self._fitted("predict_proba")
        features = self._query_features(images, "predict_proba")
        probabilities: NDArray[np.float64] = head.predict_proba(features)
        return probabilities

    def score(self, images: Any, labels: ArrayLike | None = None) -> float:
        """Return the share of images that are classified correctly.

        Parameters
        ----------
        images : array-like, PIL.Image.Image, path, or sequence of images or paths
            As for `predict`, or, without labels, a folder that holds a folder for each class.
        labels : array-like of shape (n_images,), optional
            Classes of the images.

        Returns
        -------
        accuracy : float
            Accuracy in 0..1.
        """
        owner = "FewShotClassifier.score"
        self._fitted("score")
        if labels is None:
            images, labels = pictures.classes_of(images, owner)
        with delegated(owner, "FewShotClassifier.predict"):
            predicted = self.predict(images)
        if not len(predicted):
            check.refuse("images", owner, "non-empty", "no images")
        length = len(predicted)
        truth = inputs.label_vector(labels, owner, length=length, name="labels", of="images")
        return accuracy(predicted, truth)

    def save(self, path: str | PathLike[str], *, include_model: bool = True) -> None:
        """Write the fitted classifier to a safetensors file.

        The file holds numbers and text, and no code is run when it is loaded. It is written
        atomically.

        Parameters
        ----------
        path : str or path
            File to write; an existing file is replaced.
        include_model : bool, default=True
            Include the model in the file. If False, the file holds the model's hash, and `load`
            requires the model.

        Raises
        ------
        NotFittedError
            If the classifier is not fitted.
        WriteError
            If the file cannot be written, for example on a full disk; an existing file is kept.
        """
        owner = "FewShotClassifier.save"
        head = self._fitted("save")
        whole = check.boolean(include_model, "include_model", owner)
        options = self._check_parameters(owner)
        _classifier_files.write(path, owner, self.model, head, options, include_model=whole)

    @classmethod
    def load(cls, path: str | PathLike[str], *, model: Model | None = None) -> FewShotClassifier:
        """Read a classifier that `save` wrote.

        Parameters
        ----------
        path : str or path
            A safetensors file.
        model : Model, optional
            Model of the fit, if the file does not hold it.

        Returns
        -------
        classifier : FewShotClassifier
            The fitted classifier.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If `save` did not write the file, or it is damaged or belongs to another model.
        """
        owner = "FewShotClassifier.load"
        if model is not None:
            check.instance(model, "model", owner, Model)
        source, saved = _classifier_files.read(path, owner, model)
        try:
            classifier = cls(saved.model, **saved.options)
            classifier._check_parameters(owner)
            fitted = saved.head(classifier.head)
            width = saved.model.embedding_dim
            if classifier.features == "logits":
                width = saved.model.num_classes
            if fitted.n_features_in_ != width:
                raise ValueError(
                    f"its head takes {fitted.n_features_in_} features, and the model has {width}"
                )
        except (TypeError, ValueError) as error:
            check.refuse("path", owner, "an undamaged file", f"{source!r} ({error})")
        classifier.head_, classifier.classes_ = fitted, fitted.classes_
        return classifier

    def _exported(self, owner: str) -> tuple[Model, Head]:
        if not hasattr(self, "head_"):
            raise inputs.not_fitted(owner)
        self._check_parameters(owner)
        return self.model, Head(self.head_, self.features, normalizes=True)

    def _fitted(self, method: str) -> Classifier:
        if not hasattr(self, "head_"):
            raise inputs.not_fitted(f"FewShotClassifier.{method}")
        return self.head_

    def _check_parameters(self, owner: str) -> dict[str, Any]:
        """Return the checked parameters, without the model."""
        model = check.instance(self.model, "model", owner, Model)
        mode_of(self.support_augmentation, "support_augmentation", owner, model.input_channels)
        return {
            "head": head_name(self.head, "head", owner),
            "features": check.choice(self.features, "features", owner, FEATURES),
            "n_support_copies": check.integer(
                self.n_support_copies, "n_support_copies", owner, minimum=1, maximum=MOST_COPIES
            ),
            "support_augmentation": self.support_augmentation,
            "flip": check.boolean(self.flip, "flip", owner),
            "resize": check.boolean(self.resize, "resize", owner),
            "seed": check.seed(self.seed, owner),
        }

    def _query_features(self, images: Any, method: str) -> NDArray[np.float32]:
        owner = f"FewShotClassifier.{method}"
        self._check_parameters(owner)
        with delegated(owner, "Model.features"):
            return self._features(self._images(images, owner))

    def _images(self, images: Any, owner: str) -> NDArray[Any]:
        """Return images of the model's shape."""
        if pictures.is_paths(images):
            return self._pictures(pictures.files_of(images, owner), owner)
        side, channels = self.model.image_size, self.model.input_channels
        images = batch_of(images, "images", owner, side=side, channels=channels)
        if self.resize:
            pixels = check.square_images(images, "images", owner)
            if pixels.shape[1] != side and pixels.shape[3] == channels and pixels.size:
                return pictures.resized(pixels, side)
        given = check.model_images(images, "images", owner, side=side, channels=channels)
        if given.dtype != np.uint8:
            require_plausible(given, self.model.normalization, "images", owner)
        return given

    def _pictures(self, files: list[Any], owner: str) -> NDArray[np.uint8]:
        return pictures.read_pictures(
            files, self.model.image_size, self.model.input_channels, owner
        )

    def _features(self, images: NDArray[Any]) -> NDArray[np.float32]:
        return l2_normalize(self.model.features(images, self.features))

    def _example_features(
        self, images: NDArray[Any], owner: str
    ) -> tuple[NDArray[np.float32], int]:
        """Return the features of all copies of the examples, copy after copy, and their number."""
        mode = mode_of(self.support_augmentation, "support_augmentation", owner, images.shape[3])
        if mode == _native.AUGMENT_NONE or images.dtype != np.uint8:
            return self._features(images), 1
        if self.model.normalization is None:
            check.refuse("model", owner, "one with a normalization (fit sets it)", "one without")
        mean, std = (np.array(v, dtype=np.float32) for v in self.model.normalization)
        pixels = np.require(images, np.uint8, ["C_CONTIGUOUS", "ALIGNED"])
        count, padding = len(pixels), default_padding(pixels.shape[1])
        augmented = new_array(pixels.shape, np.float32, owner, "images")
        copies = []
        for copy in range(self.n_support_copies):
            # Each image of each copy has its own stream of random choices.
            streams = np.arange(copy * count, (copy + 1) * count, dtype=np.int64)
            _native.augment(
                pixels,
                np.arange(count, dtype=np.int64),
                streams,
                mode,
                padding,
                bool(self.flip),
                int(self.seed),
                0,
                True,
                mean,
                std,
                augmented,
            )
            copies.append(self._features(augmented))
        require_whole(pixels)
        return np.concatenate(copies), self.n_support_copies
