"""Python ends while daemon threads are at work in the library."""

import subprocess
import sys

import pytest

PROGRAM = """
import threading, numpy as np, skd
from time import sleep
model = skd.create_model("resnet12", num_classes=3, image_size=32, widths=(32, 32, 32, 32))
x = np.random.default_rng(0).normal(size=(16, 32, 32, 3)).astype(np.float32)
y = np.arange(16) % 3
split = skd.datasets.from_arrays((x * 50 % 256).astype(np.uint8), y)
busy = threading.Event()
def term(rows, labels, views):
    busy.set()
    for _ in range(300_000):  # of bytecode, between which the GIL changes hands
        pass
    return 0.0, np.zeros_like(rows)
def sleeping(rows, labels, views):
    busy.set()
    sleep(60)
def work():
    while True:
        {work}
        busy.set()
trainer = skd.Supervised(model, terms=[skd.Term("own", {term})] if {term} else ())
for _ in range({threads}):
    threading.Thread(target=work, daemon=True).start()
assert busy.wait(60)
sleep(0.05)
"""

WORK = {
    "step": "trainer.step(x, y)",
    "embed": "model.embed(x)",
    "evaluate": "skd.evaluate(model, split, n_way=3, n_query=4, n_episodes=5)",
    "fit": "trainer.fit(split, epochs=1, batch_size=8, progress=False)",
    "operation": "skd.ops.leaky_relu(x)",
    "error": "try: model.load_state_dict({})\n        except ValueError: pass",
}


def end(work, *, term=None, threads=1):
    program = PROGRAM.format(work=work, term=term, threads=threads)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, (done.returncode, done.stderr[-500:])


@pytest.mark.parametrize("name", WORK)
def test_python_ends_during_calls_of_daemon_threads(name):
    end(WORK[name], threads=2)


@pytest.mark.parametrize("term", ["term", "sleeping"])
@pytest.mark.parametrize("name", ["step", "fit"])
def test_python_ends_while_a_daemon_thread_is_in_a_callback(name, term):
    end(WORK[name], term=term)
