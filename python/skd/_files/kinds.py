"""Kinds of files, recognised from their first bytes, for messages about wrong files."""

from __future__ import annotations

import re
from pathlib import Path

START = 4096  # bytes that suffice to recognise a kind

SAFETENSORS, TORCH, PICKLE = "a safetensors file", "a file of torch.save", "a pickle"
HTML, XML, TEXT, LFS = "an HTML page", "an XML file", "a text file", "a pointer of Git LFS"
JSON = "a JSON file"
#: First bytes of files, and the name of their kind.
SIGNATURES = (
    (b"\x93NUMPY", "an array file of NumPy"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "an Arrow file"),
    (b"GGUF", "a GGUF file"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program for Windows"),
)
HTML_STARTS = (b"<!doctype", b"<html", b"<head", b"<script")
LFS_START = b"version https://git-lfs"
BOTH_MARKS = (b"\xff\xfe", b"\xfe\xff")  # marks of text in UTF-16
TAR_PLACE, TAR_MARK = 257, b"ustar"
LONGEST_HEADER = 100_000_000  # bytes that a safetensors file's may have
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")  # characters that text never holds
PICKLE_START = re.compile(rb"\x80[\x02-\x05]")
NOTEBOOK = re.compile(rb'\A\s*\{\s*"(cells|nbformat|metadata)"')
FIRST_MEMBER = re.compile(rb"[^/\x00]*/(data\.pkl|constants\.pkl|code/|version)")


def kind_of(start: bytes) -> str | None:
    """Return the kind of a file, or None if its first bytes are not known.

    Parameters
    ----------
    start : bytes
        The first `START` bytes of the file, or all of it.

    Examples
    --------
    >>> kind_of(b"<!DOCTYPE html><html>")
    'an HTML page'
    """
    if not start:
        return "an empty file"
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:32].lower().startswith(HTML_STARTS):
        return HTML
    if text.lower().startswith(LFS_START):
        return LFS
    for signature, name in SIGNATURES:
        if start.startswith(signature):
            return name
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _kind_of_zip(start)
    if start[TAR_PLACE : TAR_PLACE + len(TAR_MARK)] == TAR_MARK:
        return "a tar archive"
    if _is_safetensors(start):
        return SAFETENSORS
    if PICKLE_START.match(start):
        return PICKLE
    return _kind_of_text(start, text)


def kind_of_file(path: Path) -> str | None:
    """Return the kind of a file, or None if its first bytes are not known."""
    with open(path, "rb") as file:
        return kind_of(file.read(START))


def _kind_of_zip(start: bytes) -> str:
    """Return the kind of a ZIP archive, recognised from the name of its first member."""
    length = int.from_bytes(start[26:28], "little")
    member = start[30 : 30 + length]
    if member.endswith(b".npy"):
        return "an archive of NumPy arrays"
    if FIRST_MEMBER.match(member):
        return TORCH
    return "a zip archive"


def _is_safetensors(start: bytes) -> bool:
    length = int.from_bytes(start[:8], "little")
    return start[8:9] == b"{" and 2 <= length <= LONGEST_HEADER


def _kind_of_text(start: bytes, text: bytes) -> str | None:
    if start.startswith(BOTH_MARKS):
        return TEXT
    if CONTROL.search(start) or not _is_utf8(start):
        return None
    if text.startswith(b"<?xml"):
        return XML
    if NOTEBOOK.match(text) and (b'"cell_type"' in text or b'"nbformat"' in text):
        return "a Jupyter notebook"
    if text.startswith((b"{", b"[")):
        return JSON
    return TEXT


def _is_utf8(start: bytes) -> bool:
    try:
        start.decode()
    except UnicodeDecodeError as error:
        return len(start) == START and error.start > START - 4  # its last character is cut
    return True
