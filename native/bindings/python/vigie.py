"""Counters and gauges of a Python program, shown by Vigie while it runs.

    import vigie

    steps = vigie.Counter("solver_steps_total", "Steps of the solver")
    residual = vigie.Gauge("solver_residual", "Residual after a step")
    for step in range(100):
        with vigie.timed("solver_step"):
            ...
        steps.add()
        residual.set(1 / (step + 1))

This file is all that is needed besides libvigie.so, which is looked for in $VIGIE_LIBRARY, in the process, beside this
file, and where the system has its libraries. Without it everything here works and counts nothing; `available` and
`problem` say so. Threads, forks (multiprocessing) and the way to the engine are libvigie's: see docs/libvigie.md.
"""

import ctypes
import ctypes.util
import functools
import math
import os
import time

__all__ = ["Counter", "Gauge", "available", "flush", "name", "problem", "set_rank", "timed"]

_NAME_MAX = 4096
_MAX_INCREASE = 2**64 - 1


class _Label(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("value", ctypes.c_char_p)]


def _candidates():
    named = os.environ.get("VIGIE_LIBRARY")
    if named:
        yield named
        return
    # An exporter that vigie-run loaded has it already.
    yield None
    here = os.path.dirname(os.path.realpath(__file__))
    # In an installation it is PREFIX/share/vigie/python, in a clone native/bindings/python.
    for folder in ("../../../lib", "../../build/client"):
        path = os.path.join(here, folder, "libvigie.so")
        if os.path.exists(path):
            yield os.path.normpath(path)
    machine = getattr(os.uname(), "machine", "") if hasattr(os, "uname") else ""
    path = os.path.join(here, "../../../lib/%s-linux-gnu/libvigie.so" % machine)
    if os.path.exists(path):
        yield os.path.normpath(path)
    yield "libvigie.so.0"
    found = ctypes.util.find_library("vigie")
    if found:
        yield found


def _declare(library):
    pointer = ctypes.POINTER(ctypes.c_void_p)
    for function, arguments in (
        ("vigie_counter_new", [pointer, ctypes.c_char_p, ctypes.c_char_p]),
        ("vigie_counter_new_double", [pointer, ctypes.c_char_p, ctypes.c_char_p]),
        ("vigie_gauge_new", [pointer, ctypes.c_char_p, ctypes.c_char_p]),
        ("vigie_name", [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.POINTER(_Label), ctypes.c_size_t]),
        ("vigie_counter_add", [ctypes.c_void_p, ctypes.c_uint64]),
        ("vigie_counter_add_double", [ctypes.c_void_p, ctypes.c_double]),
        ("vigie_gauge_set", [ctypes.c_void_p, ctypes.c_double]),
        ("vigie_gauge_observe", [ctypes.c_void_p, ctypes.c_double]),
        ("vigie_set_rank", [ctypes.c_int, ctypes.c_int]),
        ("vigie_flush", []),
    ):
        getattr(library, function).argtypes = arguments
    return library


def _load():
    problem = "libvigie.so was not found: set VIGIE_LIBRARY to its path"
    for path in _candidates():
        try:
            return _declare(ctypes.CDLL(path)), None
        except (OSError, AttributeError) as error:
            if path and os.sep in path:
                problem = "%s cannot be used: %s" % (path, error)
    return None, problem


_library, problem = _load()
#: Whether anything is counted; if not, `problem` says why.
available = _library is not None


def _bytes(text, what):
    if not isinstance(text, str):
        raise TypeError("%s is text, not %s" % (what, type(text).__name__))
    if "\0" in text:
        raise ValueError("%s has no NUL characters" % what)
    return text.encode("utf-8", "surrogateescape")


def name(family, **labels):
    """`family{label="value",...}`, with what is special in values escaped. Raises ValueError for a name that cannot be."""
    given = [(_bytes(key, "a label"), _bytes(value, "a label's value")) for key, value in labels.items()]
    if _library is None:
        return family
    array = (_Label * max(len(given), 1))(*(_Label(key, value) for key, value in given))
    buffer = ctypes.create_string_buffer(_NAME_MAX + 1)
    length = _library.vigie_name(buffer, len(buffer), _bytes(family, "a family"), array, len(given))
    if length < 0:
        raise ValueError("not a name, or too long: %r with labels %r" % (family, labels))
    return buffer.raw[:length].decode("utf-8", "surrogateescape")


def _make(function, name_, doc):
    handle = ctypes.c_void_p()
    encoded = _bytes(name_, "a name"), _bytes(doc, "a description")
    if not 0 < len(encoded[0]) <= _NAME_MAX:
        raise ValueError("a name has 1 to %d bytes" % _NAME_MAX)
    if _library is None:
        return handle
    result = getattr(_library, function)(ctypes.byref(handle), *encoded)
    if result == -2:
        raise ValueError("%r is already a metric of another kind" % name_)
    # Anything else (no memory, too many metrics) must not end a program that computes: it is not counted.
    return handle


class Counter:
    """A sum that only grows. Of whole numbers, or with `kind=float` of real ones (seconds, for example).

    Counters of one name are one counter, wherever they are made.
    """

    __slots__ = ("_add", "_handle", "_whole", "name")

    def __init__(self, name, doc="", kind=int):
        if kind not in (int, float):
            raise TypeError("kind is int or float")
        self.name = name
        self._whole = kind is int
        self._handle = _make("vigie_counter_new" if self._whole else "vigie_counter_new_double", name, doc)
        self._add = getattr(_library, "vigie_counter_add" if self._whole else "vigie_counter_add_double", None)

    def add(self, increase=1):
        """Raises TypeError for what is not such a number, ValueError for one that is negative or not finite."""
        if self._whole:
            try:
                increase = increase.__index__()
            except AttributeError:
                raise TypeError("%s counts whole numbers: make it with kind=float" % self.name) from None
            if not 0 <= increase <= _MAX_INCREASE:
                raise ValueError("a counter grows by 0 to 2**64 - 1, not by %r" % increase)
        else:
            increase = float(increase)
            if not 0 <= increase < math.inf:
                raise ValueError("a counter grows by a finite number, not by %r" % increase)
        if self._add is not None:
            self._add(self._handle, increase)


class Gauge:
    """A value that goes up and down."""

    __slots__ = ("_handle", "name")

    def __init__(self, name, doc=""):
        self.name = name
        self._handle = _make("vigie_gauge_new", name, doc)

    def _give(self, function, value):
        value = float(value)
        if not math.isfinite(value):
            raise ValueError("a gauge has a finite value, not %r" % value)
        if _library is not None:
            getattr(_library, function)(self._handle, value)

    def set(self, value):
        """Replaces what it has: one observation of this value."""
        self._give("vigie_gauge_set", value)

    def observe(self, value):
        """Adds an observation: it has the smallest, the largest, the number and the sum of all of them."""
        self._give("vigie_gauge_observe", value)


class timed:  # noqa: N801 (used as a function)
    """Counts how often something is done, `NAME_total`, and its time, `NAME_seconds_total`.

    As `with timed("step"):`, or as a decorator: `@timed("assemble")`. What ends with an exception is counted, too.
    """

    def __init__(self, name, doc=""):
        self._hits = Counter(name + "_total", doc)
        self._seconds = Counter(name + "_seconds_total", doc and doc + ": seconds", float)
        self._starts = []

    def __enter__(self):
        self._starts.append(time.perf_counter())
        return self

    def __exit__(self, *raised):
        spent = time.perf_counter() - self._starts.pop()
        self._hits.add()
        self._seconds.add(max(spent, 0.0))
        return False

    def __call__(self, function):
        @functools.wraps(function)
        def measured(*arguments, **named):
            start = time.perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                self._hits.add()
                self._seconds.add(max(time.perf_counter() - start, 0.0))

        return measured


def set_rank(rank, size):
    """Says which rank of how many this process is. False for what cannot be one."""
    return _library is not None and _library.vigie_set_rank(int(rank), int(size)) == 0


def flush():
    """Gives what was counted to an older proxy now, for at most 250 ms; happens by itself at the end."""
    if _library is not None:
        _library.vigie_flush()
