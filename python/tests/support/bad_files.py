"""Damaged, foreign and malicious files, each written by a function that returns name and root."""

import gzip
import json
import os
import pickle
import struct
import tarfile
import zipfile
import zlib

import data_files
import numpy as np

import skd

SIDE = 32
TRAIN = "train.pickle"


class Evil:
    """Makes a folder when it is unpickled by Python's own module."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def pickles(folder):
    data_files.write_pickles(folder, data_files.make_parts(SIDE))
    return folder / TRAIN


def with_pickle(content):
    """Return a case whose training pickle is of other content."""

    def make(folder):
        pickles(folder).write_bytes(content(folder) if callable(content) else content)
        return "cifar-fs", folder

    return make


def with_entries(**changes):
    def content(folder):
        images, labels = data_files.make_parts(SIDE)["train"]
        entries = {"data": images, "labels": labels.tolist(), **changes}
        return pickle.dumps(
            {key: value for key, value in entries.items() if value is not None}, protocol=2
        )

    return with_pickle(content)


def cut_pickle(share):
    def content(folder):
        whole = (folder / TRAIN).read_bytes()
        return whole[: int(share * len(whole))]

    return with_pickle(content)


def array_state(shape, dtype=b"(U\x02u1K\x00K\x01tR", content=b"U\x04abcd"):
    """Return a pickle of an array whose state says what it likes."""
    head = b"\x80\x02}U\x04datacnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n"
    state = b"(K\x01" + shape + b"cnumpy\ndtype\n" + dtype + b"\x89" + content + b"tb"
    return head + b"(K\x00tU\x01btR" + state + b"s."


def npy(shape, content=b"", dtype="|u1"):
    """Return a file in NumPy's format with a header that says what it likes."""
    header = repr({"descr": dtype, "fortran_order": False, "shape": shape}).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + content


def numpy_files(folder):
    data_files.write_numpy_files(folder, data_files.make_parts(SIDE))


def with_npy(content, name="train_images.npy"):
    def make(folder):
        numpy_files(folder)
        (folder / name).write_bytes(content)
        return "cifar-fs", folder

    return make


def with_archive(change):
    """Return a case whose training archive of tieredImageNet is changed."""

    def make(folder):
        data_files.write_tiered(folder, data_files.make_parts(84))
        change(folder / "train_images.npz")
        return "tiered-imagenet", folder

    return make


def rewritten(**members):
    def change(path):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(f"{name}.npy", content)

    return change


def compressed_by_lzma(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("images.npy", npy((1, 84, 84, 3), bytes(84 * 84 * 3)))


def renamed_in_the_list(path):
    """Say that the name of the first member is UTF-8, which it is not, in the list at the end."""
    _rename(path, b"PK\1\2", flags=8, name=46)


def renamed_in_the_member(path):
    """Say so before the member itself."""
    _rename(path, b"PK\3\4", flags=6, name=30)


def _rename(path, signature, *, flags, name):
    content = bytearray(path.read_bytes())
    place = content.index(signature)
    content[place + flags + 1] |= 0x08
    content[place + name] = 0xFF
    path.write_bytes(content)


def zip_bomb(path):
    """Write 210 MB of zeros in 0.2 MB."""
    count = 10_000
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("images.npy", "w") as file,
    ):
        file.write(npy((count, 84, 84, 3)))
        zeros = bytes(84 * 84 * 3 * 100)
        for _ in range(count // 100):
            file.write(zeros)


def damage(path, position, value=0xFF):
    content = bytearray(path.read_bytes())
    content[position] ^= value
    path.write_bytes(content)


def compressed_and_damaged(path):
    images = data_files.make_parts(84)["train"][0]
    np.savez_compressed(path, images=images)
    damage(path, len(path.read_bytes()) // 2)


def cut(path, share=0.5):
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])


def cifar_archive(change=lambda member: member, after=lambda path: None, **contents):
    def make(folder):
        path = folder / "cifar-100-python.tar.gz"
        data_files.write_cifar100(path, {**data_files.cifar100_files(), **contents}, change)
        after(path)
        return "fc100", path

    return make


def member_renamed(name, kind=tarfile.REGTYPE, target=""):
    def change(member):
        if member.name.endswith("/train"):
            member.name, member.type, member.linkname = name, kind, target
        return member

    return change


def gzip_bomb(path):
    """Write a member of 600 MB of zeros."""
    member = tarfile.TarInfo("cifar-100-python/padding")
    member.size = 600_000_000
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(member.tobuf())
        zeros = bytes(10_000_000)
        for _ in range(60):
            file.write(zeros)


def header_bomb(path):
    """Write a header of 400 MB for the name of a member."""
    member = tarfile.TarInfo("././@LongLink")
    member.type, member.size = tarfile.GNUTYPE_LONGNAME, 400_000_000
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(member.tobuf(tarfile.GNU_FORMAT))
        for _ in range(40):
            file.write(bytes(10_000_000))


def with_list(*lines):
    def make(folder):
        data_files.write_lists(folder, data_files.make_parts(SIDE))
        (folder.parent / "secret.png").write_bytes(
            (folder / "images" / "train0000.png").read_bytes()
        )
        (folder / "train.csv").write_text("\n".join(("filename,label", *lines)))
        return "cifar-fs", folder

    return make


def linked_out(folder):
    case = with_list("link.png,a")(folder)
    (folder / "images" / "link.png").symlink_to(folder.parent / "secret.png")
    return case


def with_picture(content):
    def make(folder):
        data_files.write_class_folders(folder, data_files.make_parts(SIDE))
        next(folder.glob("train/*/*.png")).write_bytes(content)
        return "cifar-fs", folder

    return make


def png_of_declared_size(width, height):
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 64))]
    content = b"\x89PNG\r\n\x1a\n"
    for name, data in chunks:
        checksum = struct.pack(">I", zlib.crc32(name + data))
        content += struct.pack(">I", len(data)) + name + data + checksum
    return content


def native(change):
    def make(folder):
        source = folder / "source"
        source.mkdir()
        pickles(source)
        target = skd.datasets.import_data(source, name="cifar-fs", to=folder / "native")
        change(target / "train")
        return "cifar-fs", target

    return make


def change_meta(**changes):
    def change(part):
        meta = json.loads((part / "meta.json").read_text())
        (part / "meta.json").write_text(json.dumps({**meta, **changes}))

    return native(change)


def only_train(folder):
    pickles(folder)
    (folder / "val.pickle").unlink()
    return "cifar-fs", folder


def shared_class(folder):
    parts = data_files.make_parts(SIDE)
    parts["val"] = parts["train"]
    data_files.write_class_folders(folder, parts)
    return "cifar-fs", folder


def evil_pickle(folder):
    return pickle.dumps({"data": Evil(str(folder / "canary")), "labels": []}, protocol=2)


def evil_object_array(folder):
    array = np.array([Evil(str(folder / "canary"))], dtype=object)
    return pickle.dumps({"data": array, "labels": []}, protocol=2)


def evil_npy(folder):
    numpy_files(folder)
    array = np.array([Evil(str(folder / "canary"))], dtype=object)
    np.save(folder / "train_images.npy", array, allow_pickle=True)
    return "cifar-fs", folder


IMAGES = data_files.make_parts(SIDE)["train"][0]
HTML = b"\n<!DOCTYPE html><html><title>Google Drive - Virus scan warning</title></html>"
