"""Changes of files at random: what a bad disk, a bad download or a bad person makes of them."""

import random
import re
import struct

NUMBERS = (
    *(0, 1, 2, 127, 128, 255, 256, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**40),
    *(2**62, 2**63 - 1, 2**63, 2**64 - 1),
)
TEXTS = (
    *(b"0", b"-1", b"1e999", b"NaN", b"null", b"true", b"[]", b"{}", b'""', b"9" * 18, b"9" * 5000),
    *(b"-0.0", b"[[", b"}", b"\\u0000", b"\xff", b"\n", b"[" * 2000),
)
STARTS = (
    *(b"PK\x03\x04", b"\x80\x02", b"\x80\x04", b"\x93NUMPY\x01\x00", b"\x89PNG\r\n\x1a\n"),
    *(b"\xff\xd8\xff\xe0", b"GIF89a", b"II*\x00", b"BM", b"\x1f\x8b\x08\x00", b"{", b"["),
    *(b"\x40" + bytes(7) + b"{", b"RIFF" + bytes(4) + b"WEBPVP8 ", b"P5 9 9 255\n", b"(dp0\n"),
    *(b"filename,label\n", b""),
)
DIGITS = re.compile(rb"\d+")
MAX_RANDOM = 4096
PLACES = (1, 1, 1, 2, 3, 6)  # how many changes a file gets, each as often


def random_file(chance: random.Random) -> bytes:
    """Return random bytes, often behind the start of a known format."""
    return chance.choice(STARTS) + chance.randbytes(chance.randrange(MAX_RANDOM))


def mutated(content: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """Return content that is changed in one to six places."""
    data = bytearray(content)
    for _ in range(chance.choice(PLACES)):
        if data:
            chance.choice(CHANGES)(data, others, chance)
    return bytes(data)


def _place(data, chance):
    """Return a place, more often near the start, where the structure is."""
    if chance.random() < 0.5:
        return chance.randrange(min(len(data), 512))
    return chance.randrange(len(data))


def _flip(data, others, chance):
    data[_place(data, chance)] ^= 1 << chance.randrange(8)


def _set(data, others, chance):
    data[_place(data, chance)] = chance.randrange(256)


def _cut(data, others, chance):
    del data[_place(data, chance) :]


def _remove(data, others, chance):
    place = _place(data, chance)
    del data[place : place + chance.randrange(1, 64)]


def _insert(data, others, chance):
    place = _place(data, chance)
    data[place:place] = chance.randbytes(chance.randrange(1, 64))


def _repeat(data, others, chance):
    place = _place(data, chance)
    piece = data[place : place + chance.randrange(1, 64)]
    data[place:place] = piece * chance.choice((1, 2, 50))


def _zero(data, others, chance):
    place = _place(data, chance)
    length = min(chance.randrange(1, 512), len(data) - place)
    data[place : place + length] = bytes(length)


def _number(data, others, chance):
    place, size = _place(data, chance), chance.choice((1, 2, 4, 8))
    order = chance.choice("<>")
    value = chance.choice(NUMBERS) % 256**size
    data[place : place + size] = struct.pack(order + {1: "B", 2: "H", 4: "I", 8: "Q"}[size], value)


def _digits(data, others, chance):
    found = list(DIGITS.finditer(data, 0, 20_000))
    if found:
        match = chance.choice(found)
        data[match.start() : match.end()] = str(chance.choice(NUMBERS)).encode()


def _text(data, others, chance):
    place = _place(data, chance)
    data[place : place + chance.choice((0, 1, 4))] = chance.choice(TEXTS)


def _splice(data, others, chance):
    other = chance.choice(others)
    start = chance.randrange(len(other))
    piece = other[start : start + chance.randrange(1, 256)]
    place = _place(data, chance)
    data[place : place + chance.choice((0, len(piece)))] = piece


CHANGES = (_flip, _flip, _set, _cut, _remove, _insert, _repeat, _zero, _number, _number, _digits,
           _text, _splice)  # fmt: skip
