"""Few-shot classification: a model with a classifier on its features."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _validation as check
from skd._refusals import delegated
from skd.choices import Augmentation, Features, HeadName
from skd.classifiers import inputs
from skd.classifiers.calibration import gives_scores, probabilities_of, temperature_of
from skd.classifiers.estimator import Classifier, Parameters, accuracy
from skd.classifiers.kinds import HEADS
from skd.exporting import Exportable, Head
from skd.few_shot import _classifier_files, pictures
from skd.few_shot._image_features import TakesImages
from skd.few_shot._parameters import checked_parameters
from skd.few_shot._rejection import Rejection, checked_answer
from skd.models import Model


class FewShotClassifier(TakesImages, Parameters, Exportable):
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
    calibrate : bool, default=True
        Find the temperature of `predict_proba` by leave-one-out over the examples, as
        `CalibratedClassifier` does. If False, the temperature is 1.
    reject : str or int, optional
        Answer of `predict` for images that are too far from all classes, such as "unknown": a label
        of the type of the others that no class has. By default there is no such answer.
    known_rate : float, default=0.95
        Share of the images of known classes that `reject` is meant to accept, in (0, 1). The larger
        it is, the more images of unknown classes are accepted, too.
    seed : int, default=0
        Seed of the augmentation.

    Attributes
    ----------
    classes_ : ndarray of shape (num_classes,)
        Labels, ascending.
    head_ : Classifier
        The fitted head.
    temperature_ : float
        Temperature of the probabilities, ``softmax(scores / temperature_)``.
    threshold_ : float or None
        Least known-class score of an image that is not rejected; see `known_scores`. None without
        `reject`.

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
    temperature_: float
    _rejection: Rejection | None

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
        calibrate: bool = True,
        reject: str | int | None = None,
        known_rate: float = 0.95,
        seed: int = 0,
    ) -> None:
        self.model = model
        self.head = head
        self.features = features
        self.n_support_copies = n_support_copies
        self.support_augmentation = support_augmentation
        self.flip = flip
        self.resize = resize
        self.calibrate = calibrate
        self.reject = reject
        self.known_rate = known_rate
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
        checked_answer(self.reject, classes, owner)
        calibrates = self.calibrate and gives_scores(self.head)
        with self.model._native.locked():  # the model must not change between the copies
            features, copies = self._example_features(examples, owner)
            plain = features
            if copies > 1 and (calibrates or self.reject is not None):
                plain = self._features(examples)
        labels = np.tile(positions, copies)
        head = HEADS[self.head].make().fit(features, labels)
        head.classes_ = classes
        rows = (features, labels, np.tile(np.arange(len(examples)), copies), plain)
        temperature = temperature_of(self.head, *rows, owner) if calibrates else 1.0
        rejection = None
        if self.reject is not None:
            rejection = Rejection.fitted(self.reject, *rows, float(self.known_rate), owner)
        self.head_, self.classes_, self.temperature_ = head, classes, temperature
        self._rejection = rejection
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
            Predicted classes, or `reject`; an array of length 1 for a single image.

        Raises
        ------
        NotFittedError
            If the classifier is not fitted.
        ValueError
            If the images are not legal.
        """
        head = self._fitted("predict")
        features = self._query_features(images, "predict")
        labels, rejection = head.predict(features), self._rejection
        return labels if rejection is None else rejection.applied(labels, features)

    @property
    def threshold_(self) -> float | None:
        """Least known-class score of an image that is not rejected; None without `reject`."""
        self._fitted("threshold_")
        return None if self._rejection is None else self._rejection.threshold

    def known_scores(self, images: Any) -> NDArray[np.float64]:
        """Return how near each image is to the nearest class.

        It is the cosine of the angle between the features of the image and the nearest class mean,
        as of `open_set_scores`. `predict` rejects images whose score is below `threshold_`.

        Parameters
        ----------
        images : array-like, PIL.Image.Image, path, or sequence of images or paths
            Images as for `predict`.

        Returns
        -------
        scores : ndarray of shape (n_images,), dtype float64
            Cosines in -1..1; the larger, the more likely the class of the image is known.

        Raises
        ------
        NotFittedError
            If the classifier is not fitted.
        ValueError
            If the classifier was fitted without `reject`, or the images are not legal.
        """
        self._fitted("known_scores")
        if self._rejection is None:
            legal = "a classifier that was fitted with 'reject'"
            check.refuse("self", "FewShotClassifier.known_scores", legal, "one without")
        return self._rejection.scores(self._query_features(images, "known_scores"))

    @property
    def predict_proba(self) -> Callable[[Any], NDArray[np.float64]]:
        """Return the probability of each class: ``predict_proba(images)``, as for `predict`.

        It is ``softmax(scores / temperature_)``, calibrated unless `calibrate` is False. The scores
        are those of the head's ``decision_function``. Images of unknown classes are not told apart:
        each row sums to 1 over the known classes. For the nearest-neighbour heads, which have no
        scores of classes, this property raises an AttributeError.
        """
        heads = [head for head in HEADS if gives_scores(head)]
        if not isinstance(self.head, str) or self.head not in heads:
            legal = ", ".join(map(repr, heads))
            raise AttributeError(
                f"The head of a FewShotClassifier with predict_proba must be one of {legal}; "
                f"got {self.head!r}."
            )
        return self._probabilities

    def _probabilities(self, images: Any) -> NDArray[np.float64]:
        head = self._fitted("predict_proba")
        rows = self._query_features(images, "predict_proba")
        return probabilities_of(head, rows, self.temperature_)

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
        further = {"temperature": np.array([self.temperature_])}
        if self._rejection is not None:
            further["threshold"] = np.array([self._rejection.threshold])
            further["centroids"] = self._rejection.centroids
        _classifier_files.write(
            path, owner, self.model, head, options, further, include_model=whole
        )

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
            answer = checked_answer(classifier.reject, fitted.classes_, owner)
            shape = (len(fitted.classes_), width) if answer is not None else None
            temperature, found = _classifier_files.checked_fit(saved.fit, shape)
        except (TypeError, ValueError) as error:
            check.refuse("path", owner, "an undamaged file", f"{source!r} ({error})")
        classifier.head_, classifier.classes_ = fitted, fitted.classes_
        classifier.temperature_ = temperature
        classifier._rejection = None if found is None else Rejection(answer, *found)
        return classifier

    def _exported(self, owner: str) -> tuple[Model, Head]:
        if not hasattr(self, "head_"):
            raise inputs.not_fitted(owner)
        self._check_parameters(owner)
        temperature = self.temperature_ if gives_scores(self.head) else None
        outlier = None if self._rejection is None else self._rejection.outlier()
        head = Head(self.head_, self.features, True, temperature, outlier)
        return self.model, head

    def _fitted(self, method: str) -> Classifier:
        if not hasattr(self, "head_"):
            raise inputs.not_fitted(f"FewShotClassifier.{method}")
        return self.head_

    def _check_parameters(self, owner: str) -> dict[str, Any]:
        """Return the checked parameters, without the model."""
        return checked_parameters(self, owner)

    def _query_features(self, images: Any, method: str) -> NDArray[np.float32]:
        owner = f"FewShotClassifier.{method}"
        self._check_parameters(owner)
        with delegated(owner, "Model.features"):
            return self._features(self._images(images, owner))
