"""Models: creating, loading and saving networks, and computing embeddings and logits."""

from skd.models._create import ARCHITECTURES, PRECISIONS, create_model, list_models
from skd.models._images import EVALUATION_BATCH, Normalization, model_floats
from skd.models._load import load_model, restored_model
from skd.models._model import FEATURES, Model
from skd.models._pretrained import list_pretrained, load_pretrained
from skd.models._summary import LayerSummary, ModelSummary

__all__ = [
    "ARCHITECTURES",
    "EVALUATION_BATCH",
    "FEATURES",
    "PRECISIONS",
    "LayerSummary",
    "Model",
    "ModelSummary",
    "Normalization",
    "create_model",
    "list_models",
    "list_pretrained",
    "load_model",
    "load_pretrained",
    "model_floats",
    "restored_model",
]
