"""What does not fit into memory is refused with the numbers, before it is read or computed."""

import re

import numpy as np
import pytest

import skd


@pytest.fixture
def little_memory(monkeypatch):
    """Leave a megabyte, for needs of any size."""
    monkeypatch.setattr("skd._memory.LARGE_NEED", 0)
    monkeypatch.setattr("skd._native.available_memory", lambda: 2**20)


def assert_too_large(named, call):
    with pytest.raises(MemoryError) as caught:
        call()
    numbers = re.search(
        r"does not fit into memory: it needs about (\d+) bytes, and (\d+) are available",
        str(caught.value),
    )
    assert numbers, caught.value
    assert int(numbers[1]) > int(numbers[2])
    assert named in str(caught.value)


@pytest.fixture
def folder(tmp_path, rng):
    """Make a folder of four classes with three small pictures each."""
    image = pytest.importorskip("PIL.Image")
    for label in range(4):
        (tmp_path / "photos" / f"class {label}").mkdir(parents=True)
        for number in range(3):
            pixels = rng.integers(0, 256, (20, 20, 3), dtype=np.uint8)
            image.fromarray(pixels).save(tmp_path / "photos" / f"class {label}" / f"{number}.png")
    return tmp_path / "photos"


def test_pictures_that_do_not_fit_are_not_read(folder, little_memory, monkeypatch):
    def read(*_):
        raise AssertionError("a picture is read")

    monkeypatch.setattr("skd.datasets.pictures.read_picture", read)
    monkeypatch.setattr("skd.few_shot.pictures.read_picture", read)
    named = f"The set of 12 pictures in {str(folder)!r} at 1600 x 1600 pixels"
    assert_too_large(named, lambda: skd.datasets.from_folder(folder, image_size=1600))
    model = skd.create_model("convnet4", num_classes=4, image_size=512, widths=(4, 4, 4, 4))
    few_shot = skd.FewShotClassifier(model)
    assert_too_large("'images'", lambda: few_shot.fit(folder))


def test_pictures_that_fit_are_read(folder, little_memory):
    data = skd.datasets.from_folder(folder, image_size=20)
    assert sum(map(len, (data.train, data.val, data.test))) == 12


def test_a_checkpoint_that_does_not_fit_is_not_read(make_model, tmp_path, little_memory):
    path = tmp_path / "model.safetensors"
    make_model(widths=(64, 64, 64, 64)).save(path)
    assert path.stat().st_size > 2**19
    assert_too_large(f"The checkpoint {str(path)!r}", lambda: skd.load_model(path))


def test_copies_of_arrays_that_do_not_fit_are_refused(little_memory):
    many = np.broadcast_to(np.uint8(7), (400, 32, 32, 3))
    integers = np.zeros((400, 32, 32, 3), np.int16)
    for images in (many, integers):
        named = "'images' of from_arrays"
        assert_too_large(named, lambda images=images: skd.datasets.from_arrays(images, range(400)))
    assert_too_large("'x' of leaky_relu", lambda: skd.ops.leaky_relu(integers))
    assert_too_large("'images' of augment", lambda: skd.augment(many, seed=0))


HUGE = {
    "n_images": [
        lambda: skd.epoch_order(2**40, seed=0, epoch=1),
        lambda: skd.draw_augmentation(2**50, seed=0),
    ],
    "count": [
        lambda: skd.EpisodeSampler(np.arange(40) % 4, n_way=2, n_query=3).sample(0, 2**40),
    ],
    "shape": [
        lambda: skd.ops.dropout_mask((2**20, 2**30), rate=0.5, seed=0),
        lambda: skd.ops.drop_block_corners((1, 2**20, 2**20, 8), block_size=2, gamma=0.1, seed=0),
    ],
    "height": [
        lambda: skd.ops.global_average_pool_backward(np.ones((9, 512)), height=4096, width=4096),
    ],
}


@pytest.mark.parametrize(
    ("named", "call"), [(name, call) for name, calls in HUGE.items() for call in calls]
)
def test_results_that_do_not_fit_are_refused(named, call):
    assert_too_large(f"'{named}'", call)


@pytest.mark.parametrize("method", ["embed", "logits", "stage_outputs"])
def test_outputs_of_a_model_that_do_not_fit_are_refused(make_model, method):
    model = make_model(num_classes=500, widths=(8, 8, 16, 500))
    images = np.broadcast_to(np.float32(0.5), (2**30, 16, 16, 3))  # 2 TB of results
    assert_too_large("an evaluation of", lambda: getattr(model, method)(images))
