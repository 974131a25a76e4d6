"""Reading pickles without running them.

`loads` interprets the part of the pickle format that describes data: numbers, text, bytes, lists,
tuples and dicts, and objects of the names in a table of *constructors*. It never imports a name and
never calls anything that a file names, so a pickle cannot run code. Every declared size is checked
against the length of the input before memory is allocated, and large byte strings are views into
the input: an array in a mapped file is not copied.

Protocols 0 to 5 of Python 2 and 3 are read. Text of Python 2 is decoded as Latin-1.
"""

from __future__ import annotations

import codecs
import re
import struct
import sys
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from skd._files.pickle_operations import MARK, OPERATIONS, STOP

MAX_OPERATIONS = 16_000_000  # bounds the time
#: Memory allowed for the objects of a pickle, in addition to its length.
OBJECT_BYTES = 40 << 20
OF_PAIR, OF_ITEM = 100, 8  # bytes of a dict and a tuple for each entry
MAX_LINE = 4096  # longest line of text operations, except strings
MAX_INTEGER_BYTES = 16
#: From this size on, strings of Python 2 stay views of bytes: they are the content of an array.
LONG_STRING = 4096
NAME = re.compile(r"[A-Za-z_][\w.]*\Z", re.ASCII)


class PickleError(ValueError):
    """A pickle is damaged, or holds something other than data."""


class Name(NamedTuple):
    """A name that a pickle refers to; nothing is imported."""

    module: str
    name: str

    def __str__(self) -> str:
        """Return the name with its module."""
        return f"{self.module}.{self.name}"


class Unfinished:
    """Result of a constructor whose state the pickle sets later, by `finish`."""

    def __init__(self) -> None:
        self.memo_keys: list[int] = []

    def finish(self, state: Any, reader: Reader) -> Any:
        """Return the object with a state."""
        raise NotImplementedError


class Opaque(Unfinished):
    """Placeholder of an object that is not needed; it discards everything put into it."""

    def finish(self, state: Any, reader: Reader) -> Opaque:
        """Return the same object."""
        return self


Constructor = Callable[[tuple[Any, ...], "Reader"], Any]


def loads(
    data: Any,
    constructors: Mapping[Name, Constructor],
    *,
    persistent: Callable[[Any], Any] | None = None,
) -> Any:
    """Read a pickle.

    Parameters
    ----------
    data : bytes-like
        A whole pickle, such as a mapped file; arrays of the result are views into it.
    constructors : mapping of Name to callable
        Constructor of each name, called with the tuple of arguments and the `Reader`.
        `skd._files.pickled_arrays.CONSTRUCTORS` creates NumPy's arrays, dtypes and scalars.
    persistent : callable, optional
        Constructor of an object from a persistent id; without it, such ids are refused.

    Returns
    -------
    value : object
        Numbers, str, bytes, lists, tuples, dicts and results of the constructors.

    Raises
    ------
    PickleError
        If the pickle is damaged, or needs a name that has no constructor.

    Examples
    --------
    >>> import pickle
    >>> loads(pickle.dumps({"labels": [1, 2]}), {})
    {'labels': [1, 2]}
    >>> loads(pickle.dumps(print), {})
    Traceback (most recent call last):
    skd._files.pickles.PickleError: it refers to builtins.print, which is not data
    """
    return read_one(Reader(data, constructors, persistent))


def read_one(reader: Reader) -> Any:
    """Read the next of several consecutive pickles in the data of a reader."""
    try:
        return reader.run()
    except PickleError:
        raise
    except (IndexError, KeyError, TypeError, ValueError, OverflowError, struct.error) as error:
        raise PickleError(
            f"it is damaged near byte {reader.position} ({type(error).__name__})"
        ) from error


def require_key(key: Any) -> None:
    """Refuse a dict key that is not simple: hashing nested tuples may never end."""
    parts = key if isinstance(key, tuple) else (key,)
    for part in parts:
        if not isinstance(part, (str, bytes, int, float, type(None))):
            inner = "" if part is key else f" of {type(part).__name__}"
            raise PickleError(f"a key of a dict is of type {type(key).__name__}{inner}")


class Reader:
    """State of the interpreter: position, stack and memo."""

    def __init__(
        self,
        data: Any,
        constructors: Mapping[Name, Constructor],
        persistent: Callable[[Any], Any] | None,
    ) -> None:
        self.data = memoryview(data).cast("B")
        self.position = 0
        self._constructors = constructors
        self._persistent = persistent
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._copied = self._memory = 0

    def run(self) -> Any:
        """Interpret a pickle to its end."""
        self._stack, self._memo = [], {}
        for _ in range(MAX_OPERATIONS):
            if self.position >= len(self.data):
                raise PickleError(f"it is truncated: it ends after {len(self.data)} bytes")
            code = self.data[self.position]
            self.position += 1
            if code == STOP:
                return self._pop()
            operation, memory = OPERATIONS.get(code, (None, 0))
            if operation is None:
                raise PickleError(
                    f"byte {self.position - 1} is {code:#04x}, which is not an operation on data"
                )
            self._take_memory(memory)
            operation(self)
        raise PickleError(f"it has more than {MAX_OPERATIONS:,} operations")

    def take(self, count: int) -> memoryview:
        """Return the next bytes as a view."""
        left = len(self.data) - self.position
        if not 0 <= count <= left:
            raise PickleError(f"it is truncated: {count:,} bytes are declared and {left:,} left")
        view = self.data[self.position : self.position + count]
        self.position += count
        return view

    def _take_memory(self, count: int) -> None:
        """Refuse objects that take far more memory than the input."""
        self._memory += count
        if self._memory > OBJECT_BYTES + len(self.data):
            raise PickleError("it unpacks to far more than its size")

    def copied(self, count: int) -> None:
        """Refuse to copy more than twice the input, for example by repeating a long string."""
        self._copied += count
        if self._copied > 2 * len(self.data) + 4096:
            raise PickleError("it unpacks to far more than its size")

    def _unpack(self, layout: str) -> int:
        value: int = struct.unpack(layout, self.take(struct.calcsize(layout)))[0]
        return value

    def _line(self, limit: int = MAX_LINE) -> bytes:
        start = self.position
        while True:  # in pieces, so that a missing end of line copies little
            piece = bytes(self.data[self.position : self.position + MAX_LINE])
            end = piece.find(b"\n")
            self.position += len(piece) if end < 0 else end + 1
            if end >= 0:
                return bytes(self.data[start : self.position - 1])
            if not piece or self.position - start > limit:
                raise PickleError(f"it is truncated, or a line at byte {start} is too long")

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _pop(self) -> Any:
        value = self._stack.pop()
        if value is MARK:
            raise PickleError(f"it uses a mark as a value at byte {self.position - 1}")
        return value

    def _pop_to_mark(self) -> list[Any]:
        for depth in range(len(self._stack) - 1, -1, -1):
            if self._stack[depth] is MARK:
                items = self._stack[depth + 1 :]
                del self._stack[depth:]
                return items
        raise PickleError(f"it lacks a mark at byte {self.position - 1}")

    def _top(self, kind: type) -> Any:
        if isinstance(self._stack[-1], Opaque):
            return kind()
        if not isinstance(self._stack[-1], kind):
            raise PickleError(f"it puts items into what is not a {kind.__name__}")
        return self._stack[-1]

    def _set_items(self, pairs: list[Any]) -> None:
        target = self._top(dict)
        self._take_memory(OF_PAIR * len(pairs) // 2)
        if len(pairs) % 2:
            raise PickleError("a dict has a key without a value")
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            require_key(key)
            target[key] = value

    def _refer(self, module: Any, name: Any) -> None:
        if not (isinstance(module, str) and isinstance(name, str)):
            raise PickleError("a name in it is not text")
        if not (NAME.match(module) and NAME.match(name)):
            raise PickleError(f"it refers to {module[:80]!r} {name[:80]!r}, which is not a name")
        reference = Name(module, name)
        if reference not in self._constructors:
            raise PickleError(f"it refers to {reference}, which is not data")
        self._push(reference)

    def _reduce(self) -> None:
        arguments, reference = self._pop(), self._pop()
        if not isinstance(reference, Name) or not isinstance(arguments, tuple):
            raise PickleError("it calls what is not a name")
        self._push(self._constructors[reference](arguments, self))

    def _build(self) -> None:
        state, target = self._pop(), self._pop()
        if isinstance(target, OrderedDict):  # attributes of it, which are not data
            self._push(target)
            return
        if not isinstance(target, Unfinished):
            raise PickleError(f"it sets the state of a {type(target).__name__}")
        value = target.finish(state, self)
        for key in target.memo_keys:
            if self._memo[key] is target:
                self._memo[key] = value
        self._push(value)

    def _remember(self, key: int) -> None:
        if self._stack[-1] is MARK:
            raise PickleError("it stores a mark in the memo")
        value = self._stack[-1]
        self._memo[key] = value
        if isinstance(value, Unfinished):
            value.memo_keys.append(key)

    def _old_text(self, raw: memoryview) -> None:
        self._push(raw if len(raw) >= LONG_STRING else str(raw, "latin-1"))

    def _bytes(self, raw: memoryview) -> None:
        self._push(raw if len(raw) >= LONG_STRING else bytes(raw))

    def _text(self, raw: memoryview) -> None:
        self._push_text(str(raw, "utf-8", "surrogatepass"))

    def _escaped(self) -> None:
        line = self._line(limit=len(self.data))
        self._push_text(str(line, "raw-unicode-escape"))

    def _push_text(self, text: str) -> None:
        self.copied(sys.getsizeof(text))
        self._push(text)

    def _quoted(self) -> None:
        line = self._line(limit=len(self.data)).strip()
        if len(line) < 2 or line[:1] not in b"'\"" or line[-1:] != line[:1]:
            raise PickleError("a string in it lacks its quotes")
        self.copied(len(line))
        self._old_text(memoryview(codecs.escape_decode(line[1:-1])[0]))

    def _integer_line(self) -> None:
        line = self._line(limit=64).rstrip(b"L")
        self._push({b"00": False, b"01": True}[line] if line in (b"00", b"01") else int(line))

    def _long(self, count: int) -> None:
        if count > MAX_INTEGER_BYTES:
            raise PickleError(f"a number in it takes {count:,} bytes")
        self._push(int.from_bytes(self.take(count), "little", signed=True))

    def _protocol(self) -> None:
        version = self._unpack("<B")
        if version > 5:
            raise PickleError(f"it is of protocol {version}; 0 to 5 are known")

    def _append(self) -> None:
        item = self._pop()
        self._top(list).append(item)

    def _extend(self) -> None:
        items = self._pop_to_mark()
        self._take_memory(OF_ITEM * len(items))
        self._top(list).extend(items)

    def _long_tuple(self) -> None:
        items = self._pop_to_mark()
        self._take_memory(OF_ITEM * len(items))
        self._push(tuple(items))

    def _tuple(self, length: int) -> None:
        items = tuple(reversed([self._pop() for _ in range(length)]))
        self._push(items)

    def _dict(self) -> None:
        pairs = self._pop_to_mark()
        self._push({})
        self._set_items(pairs)

    def _set_item(self) -> None:
        value, key = self._pop(), self._pop()
        self._set_items([key, value])

    def _stack_global(self) -> None:
        name, module = self._pop(), self._pop()
        self._refer(module, name)

    def _resolve(self, identifier: Any) -> None:
        if self._persistent is None:
            raise PickleError("it refers to an object outside of it")
        self._push(self._persistent(identifier))
