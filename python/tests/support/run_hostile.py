"""Every parameter of every public callable, given hostile values: ``run_hostile.py [NAME ...]``.

The calls are generated from the signatures. Each is one that is right, of `hostile_calls`, but for
one argument. A call may return, or raise an exception that the package documents and whose message
names the parameter and the callable. Afterwards the right call must still return. A call that is
still at work after some seconds is interrupted; what does not end then is killed by the test, as a
fault.
"""

import contextlib
import inspect
import re
import resource
import signal
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path

import hostile_calls
import numpy as np
from run_fuzz import LEGAL

from skd._refusals import refusal_of

ADDRESS_SPACE = 4 << 30  # bytes; so what takes more is refused soon
NAN, INF = float("nan"), float("inf")
SECONDS = 0.5  # of a hostile call, before it is interrupted

INTEGERS = (0, -1, 2**31, 2**40, 2**63 - 1, 2**63, 2**64, -(2**63), 10**400, np.int8(-1))
FLOATS = (NAN, INF, -INF, 1e308, -1e308, 5e-324, -0.5, 1e39, np.float32(NAN))
ARRAYS = (
    np.zeros(0), np.zeros((0, 3)), np.ones((2, 2, 2, 2, 2)), np.array(NAN), np.full((2, 3), INF),
    np.array(["a", "b"]), np.array([None, 1]), np.array([1 + 2j]),
    np.broadcast_to(np.float32(1), (2**40,)), np.broadcast_to(np.uint8(1), (2**31, 16, 16, 3)),
    np.array([2**63 - 1, -(2**63)]), np.array([2**64 - 1], dtype=np.uint64),
)  # fmt: skip


class Interrupted(BaseException):
    """A call has been at work for long enough."""


def spoiled(array):
    """Return arrays that are wrong in what a right one is right in."""
    if not array.size or not array.ndim:
        return []
    flat = np.broadcast_to(array.ravel()[:1].reshape((1,) * array.ndim), (2**36, *array.shape[1:]))
    changed = [array[:0], array[None], array[..., :0], flat, array.astype(object)]
    if array.dtype.kind in "iuf":
        changed += [with_one(array, value) for value in (NAN, INF, 1e308, -1.0, 2.0**63)]
        changed += [array.astype(complex), array.astype("U9")]
    return changed


def with_one(array, value):
    changed = array.astype(np.float64)
    changed.ravel()[changed.size // 2] = value
    return changed


def hostile(value):
    """Return what a parameter is given in place of a right value."""
    values = [*INTEGERS, *FLOATS, *ARRAYS]
    if isinstance(value, np.ndarray):
        values += spoiled(value)
    elif isinstance(value, dict) and value:
        for key, entry in list(value.items())[:2]:
            values += [{**value, key: other} for other in hostile(entry)]
    elif type(value) in (tuple, list) and value and isinstance(value[0], (int, float)):
        kind = type(value)
        values += [kind([*value[:-1], other]) for other in (*INTEGERS, *FLOATS)]
        values += [kind(value * 1000)]
    return values


def at_once(call, arguments, keywords):
    """Call, but interrupt what takes too long."""
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        return call(*arguments, **keywords)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def interrupt(number, frame):
    raise Interrupted


def described(value):
    if isinstance(value, np.ndarray):
        return f"<{value.dtype} {value.shape}>"
    text = repr(value) if not isinstance(value, int) or abs(value) < 1e60 else "a huge integer"
    return " ".join(text.split())[:70]


def bound(case, **changed):
    """Return the arguments of a call in the order of the signature."""
    signature = inspect.signature(case.call)
    values = {name: make() for name, make in case.arguments.items()} | changed
    arguments = signature.bind_partial()
    arguments.arguments = {name: values[name] for name in signature.parameters if name in values}
    further = {name: value for name, value in values.items() if name not in signature.parameters}
    return arguments.args, arguments.kwargs | further


def names(parameter, error, right):
    """Return whether a message names a parameter, or an entry of a mapping that was given."""
    entries = right if isinstance(right, dict) else ()
    return any(re.search(rf"\b{re.escape(name)}\b", str(error)) for name in (parameter, *entries))


def is_by(owner, name, parameter):
    """Return whether the owner that an error names is the callable that was called.

    Methods are named `Class.method`, functions without their module, attributes by their class.
    """
    place, _, own = name.partition(".")
    return owner in (name, own) or (owner, parameter) == (place, own)


def outcome(name, case, parameter, value, right):
    """Make a call with a hostile value; return what came of it, and what is wrong with that."""
    arguments, keywords = bound(case, **{parameter: value})
    try:
        at_once(case.call, arguments, keywords)
        return "returned", None
    except Interrupted:
        return "interrupted", None
    except Exception as error:
        is_legal = isinstance(error, LEGAL) and names(parameter, error, right)
        refusal = refusal_of(error)
        if refusal is not None:
            is_legal &= is_by(refusal.owner, name, parameter)
        return "refused", None if is_legal else f"{type(error).__name__}: {str(error)[:300]}"


def run_case(name, case, counts):
    """Try all parameters of a callable; return what is wrong, in words."""
    faults = []
    for parameter in hostile_calls.parameters(case.call):
        make = case.arguments.get(parameter.name)
        right = make() if make else parameter.default
        for value in hostile(right):
            shown = f"{name}({parameter.name}={described(value)})"
            print(shown, flush=True)
            case.reset()
            result, fault = outcome(name, case, parameter.name, value, right)
            counts[result] += 1
            if fault:
                faults.append(f"{shown} raised {fault}")
        case.reset()
        arguments, keywords = bound(case)
        try:
            case.call(*arguments, **keywords)
            counts["right"] += 1
        except Exception as error:
            faults.append(f"{name}() after {parameter.name} raised {type(error).__name__}: {error}")
    return faults


def main(chosen):
    """Run the cases of the chosen names; print the counts, and return the status."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, resource.RLIM_INFINITY))
    signal.signal(signal.SIGALRM, interrupt)
    np.seterr(all="ignore")
    warnings.simplefilter("ignore")
    counts, faults = Counter(), []
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        table = hostile_calls.cases(Path(folder))
        cases = {name: table[name] for name in chosen or table}
        for name, case in cases.items():
            faults += run_case(name, case, counts)
    print("\n".join(faults))
    parts = ", ".join(f"{count} {result}" for result, count in counts.items())
    total = sum(counts.values())
    print(f"{total} calls of {len(cases)} callables: {parts}; {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
