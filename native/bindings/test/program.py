"""What the binding does, with the answers that a test looks at."""

import json
import multiprocessing
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "python"))
import vigie  # noqa: E402

said = {"available": vigie.available, "problem": vigie.problem}


def refused(kind, what):
    try:
        what()
    except kind as error:
        return str(error)
    raise SystemExit("was taken: %r" % what)


steps = vigie.Counter("python_steps_total", "Steps")
seconds = vigie.Counter("python_seconds_total", "Seconds", float)
labelled = vigie.Counter(vigie.name("python_parts_total", phase='say "hé"\n', of="all"), "With labels")
levels = vigie.Gauge("python_levels", "Levels")
vigie.Gauge("python_residual").set(0.5)
for i in range(10):
    steps.add()
    seconds.add(0.25)
    levels.observe(i + 1)
labelled.add(5)
steps.add(10**10)
said["refused"] = [
    refused(ValueError, lambda: steps.add(-1)),
    refused(TypeError, lambda: steps.add(0.5)),
    refused(ValueError, lambda: seconds.add(float("nan"))),
    refused(ValueError, lambda: levels.set(float("inf"))),
    refused(ValueError, lambda: vigie.Counter("")),
    refused(ValueError, lambda: vigie.Counter("a\0b")),
]
if vigie.available:
    said["refused"].append(refused(ValueError, lambda: vigie.Gauge("python_steps_total")))
    said["refused"].append(refused(ValueError, lambda: vigie.name("x", **{"1": "y"})))


@vigie.timed("python_phase", "A phase")
def phase(depth):
    return depth if depth == 0 else phase(depth - 1)


phase(4)
with vigie.timed("python_block"):
    pass


def many():
    for _ in range(1000):
        steps.add()


threads = [threading.Thread(target=many) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
children = [multiprocessing.get_context("fork").Process(target=many) for _ in range(2)]
for child in children:
    child.start()
for child in children:
    child.join()
    assert child.exitcode == 0
vigie.flush()
print(json.dumps(said))
