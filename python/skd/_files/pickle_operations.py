"""Operations of the pickle format that create data, and the memory that each may take.

Operations on classes, extension registries and external buffers are left out on purpose. The names
are those of the standard module `pickletools`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

STOP = ord(".")
MARK = object()
#: Byte of each operation: its function on a `skd._files.pickles.Reader`, and the bytes of memory
#: that CPython takes for the object it creates, without the content of text.
OPERATIONS: dict[int, tuple[Callable[[Any], Any], int]] = {
    ord(key): operation
    for key, operation in {
        "(": (lambda r: r._push(MARK), 8),  # MARK
        "0": (lambda r: r._stack.pop(), 0),  # POP
        "1": (lambda r: r._pop_to_mark(), 0),  # POP_MARK
        "2": (lambda r: r._stack.append(r._stack[-1]), 8),  # DUP
        "N": (lambda r: r._push(None), 8),  # NONE
        "\x88": (lambda r: r._push(True), 8),  # NEWTRUE
        "\x89": (lambda r: r._push(False), 8),  # NEWFALSE
        "I": (lambda r: r._integer_line(), 40),  # INT
        "L": (lambda r: r._integer_line(), 40),  # LONG
        "J": (lambda r: r._push(r._unpack("<i")), 40),  # BININT
        "K": (lambda r: r._push(r._unpack("<B")), 8),  # BININT1
        "M": (lambda r: r._push(r._unpack("<H")), 40),  # BININT2
        "\x8a": (lambda r: r._long(r._unpack("<B")), 48),  # LONG1
        "\x8b": (lambda r: r._long(r._unpack("<i")), 48),  # LONG4
        "F": (lambda r: r._push(float(r._line())), 32),  # FLOAT
        "G": (lambda r: r._push(r._unpack(">d")), 32),  # BINFLOAT
        "S": (lambda r: r._quoted(), 72),  # STRING
        "T": (lambda r: r._old_text(r.take(r._unpack("<i"))), 72),  # BINSTRING
        "U": (lambda r: r._old_text(r.take(r._unpack("<B"))), 72),  # SHORT_BINSTRING
        "V": (lambda r: r._escaped(), 72),  # UNICODE
        "X": (lambda r: r._text(r.take(r._unpack("<I"))), 72),  # BINUNICODE
        "\x8c": (lambda r: r._text(r.take(r._unpack("<B"))), 72),  # SHORT_BINUNICODE
        "\x8d": (lambda r: r._text(r.take(r._unpack("<Q"))), 72),  # BINUNICODE8
        "B": (lambda r: r._bytes(r.take(r._unpack("<I"))), 72),  # BINBYTES
        "C": (lambda r: r._bytes(r.take(r._unpack("<B"))), 72),  # SHORT_BINBYTES
        "\x8e": (lambda r: r._bytes(r.take(r._unpack("<Q"))), 72),  # BINBYTES8
        "\x96": (lambda r: r._bytes(r.take(r._unpack("<Q"))), 72),  # BYTEARRAY8
        "]": (lambda r: r._push([]), 72),  # EMPTY_LIST
        "l": (lambda r: r._push(r._pop_to_mark()), 72),  # LIST
        "a": (lambda r: r._append(), 9),  # APPEND
        "e": (lambda r: r._extend(), 0),  # APPENDS
        ")": (lambda r: r._push(()), 8),  # EMPTY_TUPLE
        "t": (lambda r: r._long_tuple(), 56),  # TUPLE
        "\x85": (lambda r: r._tuple(1), 64),  # TUPLE1
        "\x86": (lambda r: r._tuple(2), 72),  # TUPLE2
        "\x87": (lambda r: r._tuple(3), 80),  # TUPLE3
        "}": (lambda r: r._push({}), 240),  # EMPTY_DICT
        "d": (lambda r: r._dict(), 240),  # DICT
        "s": (lambda r: r._set_item(), 0),  # SETITEM
        "u": (lambda r: r._set_items(r._pop_to_mark()), 0),  # SETITEMS
        "p": (lambda r: r._remember(int(r._line())), 140),  # PUT
        "q": (lambda r: r._remember(r._unpack("<B")), 140),  # BINPUT
        "r": (lambda r: r._remember(r._unpack("<I")), 140),  # LONG_BINPUT
        "\x94": (lambda r: r._remember(len(r._memo)), 140),  # MEMOIZE
        "g": (lambda r: r._push(r._memo[int(r._line())]), 8),  # GET
        "h": (lambda r: r._push(r._memo[r._unpack("<B")]), 8),  # BINGET
        "j": (lambda r: r._push(r._memo[r._unpack("<I")]), 8),  # LONG_BINGET
        "c": (lambda r: r._refer(str(r._line(), "utf-8"), str(r._line(), "utf-8")), 300),  # GLOBAL
        "\x93": (lambda r: r._stack_global(), 300),  # STACK_GLOBAL
        "R": (lambda r: r._reduce(), 400),  # REDUCE
        "\x81": (lambda r: r._reduce(), 400),  # NEWOBJ: the same for data
        "b": (lambda r: r._build(), 0),  # BUILD
        "\x80": (lambda r: r._protocol(), 0),  # PROTO
        "\x95": (lambda r: r._unpack("<Q"), 0),  # FRAME: only a hint for reading ahead
        "P": (lambda r: r._resolve(str(r._line(), "ascii")), 400),  # PERSID
        "Q": (lambda r: r._resolve(r._pop()), 400),  # BINPERSID
    }.items()
}
