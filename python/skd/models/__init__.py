"""Models: creating, loading and saving networks, and computing embeddings and logits."""

from skd.models._create import ARCHITECTURES, PRECISIONS, create_model
from skd.models._images import EVALUATION_BATCH, Normalization, model_floats
from skd.models._load import load_model, restored_model
from skd.models._model import FEATURES, Model

__all__ = [
    "ARCHITECTURES",
    "EVALUATION_BATCH",
    "FEATURES",
    "PRECISIONS",
    "Model",
    "Normalization",
    "create_model",
    "load_model",
    "model_floats",
    "restored_model",
]
