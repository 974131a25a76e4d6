"""What the tests of plots share: a backend without windows, and what every plot has."""

import matplotlib
import numpy as np

matplotlib.use("Agg")


def assert_legible(axes):
    assert axes.get_xlabel()
    assert axes.get_ylabel()
    assert axes.get_title()


def assert_nothing_is_cut_off(display):
    """Assert that all is on the page, and that no legend covers axes."""
    display.figure_.canvas.draw()
    page = display.figure_.bbox.padded(1)
    boxes = [axes.get_window_extent().padded(-1) for axes in np.ravel(display.ax_)]
    for axes in np.ravel(display.ax_):
        tight = axes.get_tightbbox()
        assert page.contains(*tight.min), (tight, page)
        assert page.contains(*tight.max), (tight, page)
        if axes.get_legend() is not None:
            legend = axes.get_legend().get_window_extent()
            assert not any(legend.overlaps(box) for box in boxes)
