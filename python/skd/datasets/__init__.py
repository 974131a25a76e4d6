"""Data sets for few-shot learning."""

from skd.datasets._contact_sheet import save_contact_sheet
from skd.datasets._few_shot_data import FewShotData
from skd.datasets._importing import import_data
from skd.datasets._loading import load, load_imported
from skd.datasets._own_images import from_folder
from skd.datasets._split import Split, from_arrays
from skd.errors import DataError

__all__ = [
    "DataError",
    "FewShotData",
    "Split",
    "from_arrays",
    "from_folder",
    "import_data",
    "load",
    "load_imported",
    "save_contact_sheet",
]
