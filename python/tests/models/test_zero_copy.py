"""Parameters, gradients and outputs are the library's memory or the caller's, never copies."""

import gc
import threading
import time

import numpy as np
import pytest
from golden import nhwc

import skd


def address(array):
    return array.__array_interface__["data"][0]


def test_state_dict_shows_the_same_memory_each_time(make_model):
    model = make_model()
    first, second = model.state_dict(), model.state_dict()
    assert [address(view) for view in first.values()] == [address(view) for view in second.values()]


def test_state_views_change_with_training(make_model, batch):
    model = make_model()
    view = model.state_dict()["layer1.0.conv1.weight"]
    before, place = view.copy(), address(view)
    skd.Gen0(model).step(*batch)
    assert not np.array_equal(view, before)
    assert address(model.state_dict()["layer1.0.conv1.weight"]) == place


def test_state_views_are_read_only(make_model):
    for view in make_model().state_dict().values():
        assert not view.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            view[...] = 0
        with pytest.raises(ValueError, match="WRITEABLE"):
            view.flags.writeable = True


def test_a_view_keeps_its_model_alive(make_model, batch):
    model = make_model()
    gen0 = skd.Gen0(model)
    gen0.loss(*batch)
    parameter = model.state_dict()["classifier.weight"]
    gradient = gen0.gradients()["classifier.weight"]
    expected = parameter.copy(), gradient.copy()
    del model, gen0
    gc.collect()
    others = [make_model(seed=seed) for seed in range(3)]  # would take freed memory over
    np.testing.assert_array_equal(parameter, expected[0])
    np.testing.assert_array_equal(gradient, expected[1])
    assert len(others) == 3


def test_gradients_show_the_same_memory_each_time(make_model, batch):
    gen0 = skd.Gen0(make_model())
    gen0.loss(*batch)
    first = gen0.gradients()
    gen0.loss(*batch)
    second = gen0.gradients()
    assert first.keys() == second.keys()
    for name, gradient in first.items():
        assert address(gradient) == address(second[name])
        assert not gradient.flags.writeable


def test_gradients_have_the_shapes_of_their_parameters(make_model, batch):
    model = make_model()
    gen0 = skd.Gen0(model)
    gen0.loss(*batch)
    state = model.state_dict()
    for name, gradient in gen0.gradients().items():
        assert gradient.shape == state[name].shape


def test_a_clone_shares_no_memory(make_model):
    model = make_model()
    clone = model.clone()
    for name, view in model.state_dict().items():
        copy = clone.state_dict()[name]
        np.testing.assert_array_equal(copy, view)
        assert not np.shares_memory(copy, view)


def test_augment_writes_into_the_array_it_is_given(rng):
    images = rng.integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
    out = np.empty(images.shape, dtype=np.float32)
    result = skd.augment(images, seed=1, out=out)
    assert result is out
    np.testing.assert_array_equal(out, skd.augment(images, seed=1))


def test_a_contiguous_data_set_is_not_copied(rng):
    images = rng.integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
    split = skd.datasets.from_arrays(images, [0, 1, 0, 1])
    assert address(split.images) == address(images)


def test_strided_and_other_inputs_give_the_same_result(make_model, batch):
    model = make_model()
    images, _ = batch
    expected = model.embed(images)
    planes = np.ascontiguousarray(np.moveaxis(images, -1, 1))
    read_only = images.copy()
    read_only.flags.writeable = False
    unaligned = np.frombuffer(b"\0" + images.tobytes(), dtype=np.float32, offset=1)
    for same in (
        np.moveaxis(planes, 1, -1),
        nhwc(planes),
        images[::-1][::-1],
        images.astype(np.float64),
        images.astype(">f4"),
        images.tolist(),
        read_only,
        unaligned.reshape(images.shape),
    ):
        np.testing.assert_array_equal(model.embed(same), expected)


def test_other_python_threads_run_during_a_step(rng):
    model = skd.create_model("resnet12", num_classes=5, image_size=32, widths=(32, 32, 64, 64))
    gen0 = skd.Gen0(model)
    images = rng.standard_normal((16, 32, 32, 3)).astype(np.float32)
    labels = np.arange(16) % 5
    gen0.step(images, labels)

    ticks, done = [], threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.perf_counter())

    thread = threading.Thread(target=tick)
    thread.start()
    start = time.perf_counter()
    for _ in range(3):
        gen0.step(images, labels)
    end = time.perf_counter()
    done.set()
    thread.join()
    # Three calls that held the lock would leave at most the moments between them.
    slots = {int(10 * (moment - start) / (end - start)) for moment in ticks}
    assert set(range(1, 9)) <= slots


def test_concurrent_calls_on_one_model_agree(make_model, batch):
    model = make_model()
    expected = model.embed(batch[0])
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(model.embed(batch[0]))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    for result in results:
        np.testing.assert_array_equal(result, expected)
