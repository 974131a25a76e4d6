"""The exceptions of the package, besides Python's own ``ValueError`` and ``TypeError``."""


class SKDError(Exception):
    """A computation failed for a reason other than a wrong argument."""


class NonFiniteLossError(SKDError):
    """A loss or a gradient came out NaN or infinite; the model is as it was before the step."""


class DataError(SKDError, ValueError):
    """A file of a data set is damaged, is not what its name says, or may not be read."""


class NotFittedError(SKDError, ValueError, AttributeError):
    """A classifier was asked before it was fitted."""
