"""Damaged, foreign and malicious files are refused in words; nothing is written and no code run."""

import gzip
import io
import pickle
import struct
import tarfile
import tracemalloc
from pathlib import Path

import data_files
import numpy as np
import pytest
from bad_files import (
    HTML,
    IMAGES,
    array_state,
    change_meta,
    cifar_archive,
    compressed_and_damaged,
    compressed_by_lzma,
    cut,
    cut_pickle,
    evil_npy,
    evil_object_array,
    evil_pickle,
    gzip_bomb,
    header_bomb,
    linked_out,
    member_renamed,
    native,
    npy,
    only_train,
    pickles,
    png_of_declared_size,
    renamed_in_the_list,
    renamed_in_the_member,
    rewritten,
    shared_class,
    with_archive,
    with_entries,
    with_list,
    with_npy,
    with_pickle,
    with_picture,
    zip_bomb,
)
from hostile_weights import many_members, torch_archive

import skd

NOTEBOOK = b'{\n "cells": [\n  {\n   "cell_type": "code",'
DEEP = b"\x80\x02" + b"(" * 200_000 + b"t" * 200_000 + b"."
CASES = {
    # Pickles that would run code, or exhaust the memory.
    "a pickle that runs a function": (with_pickle(evil_pickle), "mkdir, which is not data"),
    "a pickle of objects that run code": (
        with_pickle(evil_object_array),
        "not data|of numbers",
    ),
    "a pickle of protocol 0 that runs code": (
        with_pickle(b"cos\nsystem\n(S'touch canary'\ntR."),
        "os.system, which is not data",
    ),
    "a pickle that makes an instance": (with_pickle(b"(i__main__\nEvil\n."), "0x69"),
    "a pickle with an extension code": (with_pickle(b"\x80\x02\x82\x01."), "0x82"),
    "a pickle with a name in two lines": (
        with_pickle(b"\x80\x04\x8c\x02os\x8c\x06sy\nstm\x93."),
        "not a name",
    ),
    "a pickle of an outside object": (with_pickle(b"\x80\x02U\x01xQ."), "outside of it"),
    "a pickle that sets state of a dict": (with_pickle(b"\x80\x02}}b."), "state of a dict"),
    "a pickle of a declared terabyte": (
        with_pickle(b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b"abc."),
        "1,099,511,627,776 bytes are declared",
    ),
    "a pickle of a negative length": (
        with_pickle(b"\x80\x02T\xff\xff\xff\xffabc."),
        "truncated",
    ),
    "a pickle of a huge number": (
        with_pickle(b"\x80\x02\x8b" + struct.pack("<i", 2**30) + b"."),
        "a number in it takes",
    ),
    "a pickle of repeated text": (
        with_pickle(
            b"\x80\x02c_codecs\nencode\nq\x00X"
            + struct.pack("<I", 50_000)
            + b"x" * 50_000
            + b"X\x06\x00\x00\x00latin1\x86q\x01"
            + b"h\x00h\x01R" * 1000
            + b"."
        ),
        "far more than its size",
    ),
    "a pickle of the highest memo": (
        with_pickle(b"\x80\x02Nr\xff\xff\xff\xff0j\xfe\xff\xff\xff."),
        "damaged near byte",
    ),
    "a pickle of nested tuples": (with_pickle(DEEP), "holds a tuple instead of a dict"),
    "a pickle of protocol 9": (with_pickle(b"\x80\x09N."), "protocol 9"),
    "a pickle of random bytes": (with_pickle(np.random.default_rng(0).bytes(5000)), "not a pickle"),
    "a pickle of nothing but a stop": (with_pickle(b"."), "damaged near byte"),
    # Pickled arrays.
    "an array of a negative shape": (
        with_pickle(array_state(b"(J\xff\xff\xff\xffK\x04t")),
        "the shape of an array",
    ),
    "an array of another size than its content": (
        with_pickle(array_state(b"(K\x09t")),
        "needs 9 bytes; 4 are there",
    ),
    "an array of an overflowing shape": (
        with_pickle(array_state(b"(J\x00\x00\x00\x40J\x00\x00\x00\x40J\x00\x00\x00\x40t")),
        "needs .* bytes",
    ),
    "an array of objects": (
        with_pickle(array_state(b"(K\x01t", b"(U\x02O8K\x00K\x01tR")),
        "not of numbers or text",
    ),
    "an array of a list": (with_pickle(array_state(b"(K\x01t", content=b"]")), "array of objects"),
    # Downloads that went wrong.
    "an HTML page": (with_pickle(HTML), "HTML page, not the file"),
    "an empty file": (with_pickle(b""), "empty; download it again"),
    "a pointer of Git LFS": (
        with_pickle(b"version https://git-lfs.github.com/spec/v1\n"),
        "git lfs pull",
    ),
    "a pickle without its last byte": (cut_pickle(0.99999), "truncated"),
    "a pickle cut in the images": (cut_pickle(0.5), "truncated: .* bytes are declared"),
    "a pickle cut in the header": (cut_pickle(0.002), "truncated"),
    # Files of another kind.
    "a gzip archive for a pickle": (
        with_pickle(gzip.compress(b"abc")),
        "gzip archive, not",
    ),
    "a notebook for a pickle": (with_pickle(NOTEBOOK), "a Jupyter notebook, not a pickle"),
    "a file of torch.save for a pickle": (
        with_pickle(torch_archive({})),
        "torch.save, not",
    ),
    "a picture for an array file": (with_npy(b"\x89PNG\r\n\x1a\n"), "a PNG picture, not an array"),
    "a pickle for an archive": (
        with_archive(lambda path: path.write_bytes(pickle.dumps([1]))),
        "a pickle, not an archive",
    ),
    "an archive with a name that is no text": (
        with_archive(renamed_in_the_list),
        "archive is damaged or truncated .*utf-8",
    ),
    "an archive whose member has a name that is no text": (
        with_archive(renamed_in_the_member),
        "archive is damaged or truncated .*utf-8",
    ),
    "an archive of very many members": (
        with_archive(lambda path: path.write_bytes(many_members())),
        "longer than 1,048,576 bytes",
    ),
    "an archive with a long header": (cifar_archive(after=header_bomb), "unpacks to more than"),
    "an array file of records": (with_npy(npy((9,), dtype="i1,i1")), "or one of records"),
    "an array file of a formula": (with_npy(npy("__import__('os')")), "not an array in NumPy"),
    # Content that does not fit.
    "a list instead of a dict": (with_pickle(pickle.dumps([1])), "holds a list instead"),
    "no images": (with_entries(data=None), "lacks 'data'; it holds 'labels'"),
    "few labels": (with_entries(labels=[1]), "1 labels do not match the 9 images"),
    "labels of text": (with_entries(labels=["a"] * 9), "not all integers"),
    "labels beyond 64 bits": (with_entries(labels=[2**70] * 9), "not all integers"),
    "labels in two dimensions": (with_entries(labels=np.zeros((9, 1), int)), "not a list of"),
    "images of another side": (with_entries(data=IMAGES[:, :8, :8]), "9 x 8 x 8 x 3, not n x 32"),
    "images of floats": (with_entries(data=IMAGES.astype(np.float32)), "float32, not uint8"),
    "images in a list": (with_entries(data=[1, 2]), "a list, not an array"),
    "no images at all": (with_entries(data=IMAGES[:0], labels=[]), "0 x 32 x 32 x 3"),
    # NumPy's own files.
    "an array file of objects": (evil_npy, "array of objects, which could run code"),
    "an array file of a negative shape": (with_npy(npy((-1, 32, 32, 3))), "impossible shape"),
    "an array file of a declared terabyte": (
        with_npy(npy((2**30, 32, 32, 3))),
        "truncated: .* bytes are declared and 0 there",
    ),
    "an array file with a formula": (
        with_npy(npy((9, 32, 32, 3)).replace(b"'|u1'", b"foo()")),
        "not an array in NumPy's format",
    ),
    "an array file cut in the header": (with_npy(npy((9, 32, 32, 3))[:30]), "not an array"),
    "an array file cut in the images": (
        with_npy(npy((9, 32, 32, 3), bytes(100))),
        "truncated: 27,648 bytes",
    ),
    "few labels in an array file": (
        with_npy(npy((3,), bytes(3)), "train_labels.npy"),
        "3 labels do not match the 9 images",
    ),
    # Archives of arrays.
    "a zip bomb": (with_archive(zip_bomb), "times its size"),
    "an archive of another compression": (with_archive(compressed_by_lzma), "another method"),
    "an archive cut in the middle": (with_archive(cut), "truncated: the list at its end"),
    "an archive cut in the list": (with_archive(lambda path: cut(path, 0.9999)), "truncated"),
    "an archive without images": (
        with_archive(rewritten(pictures=npy((1,), b"x"))),
        "no array 'images'; it has pictures",
    ),
    "an archive of a wrong declaration": (
        with_archive(rewritten(images=npy((5, 84, 84, 3), b"x"))),
        "declares an array of 105,840",
    ),
    "an archive of objects": (
        with_archive(rewritten(images=npy((5,), b"x" * 40, "|O"))),
        "array of objects",
    ),
    "an archive of other than arrays": (
        with_archive(rewritten(images=b"hello")),
        "not an array in NumPy's format",
    ),
    "a compressed archive with a wrong byte": (
        with_archive(compressed_and_damaged),
        "damaged or truncated",
    ),
    "an HTML page for an archive": (with_archive(lambda path: path.write_bytes(HTML)), "HTML page"),
    "an archive without labels": (
        with_archive(lambda path: (path.parent / "train_labels.pkl").unlink()),
        "no such file",
    ),
    # CIFAR-100's archive.
    "a member beside the folder": (cifar_archive(member_renamed("../../etc/train")), "outside"),
    "a member of an absolute path": (cifar_archive(member_renamed("/etc/train")), "outside"),
    "a symbolic link in the archive": (
        cifar_archive(member_renamed("cifar-100-python/train", tarfile.SYMTYPE, "/etc/passwd")),
        "link or device",
    ),
    "a hard link in the archive": (
        cifar_archive(member_renamed("cifar-100-python/train", tarfile.LNKTYPE, "../meta")),
        "link or device",
    ),
    "a device in the archive": (
        cifar_archive(member_renamed("cifar-100-python/train", tarfile.CHRTYPE)),
        "link or device",
    ),
    "an archive without a file": (
        cifar_archive(member_renamed("cifar-100-python/other")),
        "lacks train",
    ),
    "an archive that unpacks to 600 MB": (cifar_archive(after=gzip_bomb), "unpacks to more than"),
    "an archive of CIFAR-100 cut short": (cifar_archive(after=cut), "truncated"),
    "an archive that is no archive": (
        cifar_archive(after=lambda path: path.write_bytes(b"hello" * 99)),
        "damaged or truncated",
    ),
    "an HTML page for CIFAR-100": (
        cifar_archive(after=lambda path: path.write_bytes(HTML)),
        "HTML page",
    ),
    "an archive with code in its names": (cifar_archive(meta=pickle.dumps(print)), "not data"),
    "an archive of CIFAR-10": (
        cifar_archive(meta={"fine_label_names": ["cat"]}),
        "differ from those of CIFAR-100",
    ),
    # Lists and pictures.
    "a list that names a file above": (with_list("../../secret.png,a"), "outside of 'images'"),
    "a list that names an absolute file": (with_list("/etc/passwd,a"), "outside of 'images'"),
    "a list that leaves by backslashes": (with_list("..\\..\\secret.png,a"), "outside"),
    "a list that leaves by a link": (linked_out, "a link out of 'images'"),
    "a list that names no file": (with_list("none.png,a"), "line 2 names 'none.png'"),
    "a list without labels": (with_list("train0000.png"), "line 2 is not 'filename,label'"),
    "an empty list": (with_list(), "the list has no files"),
    "a list of binary": (with_list("\0\x01,b"), "list of|outside"),
    "a picture that is text": (
        with_picture(b"hello"),
        "1 picture cannot be read: .*a text file, not",
    ),
    "a picture that is an HTML page": (with_picture(HTML), "HTML page"),
    "a picture of declared gigapixels": (
        with_picture(png_of_declared_size(10**5, 10**5)),
        "100000 x 100000 pixels are more than the limit of 250,000,000",
    ),
    # The native form.
    "a description cut short": (native(lambda part: cut(part / "meta.json")), "not JSON"),
    "images cut short": (native(lambda part: cut(part / "images.npy")), "truncated"),
    "labels of another number": (
        native(lambda part: np.save(part / "labels.npy", np.zeros(2, int))),
        "2 labels do not match",
    ),
    "labels that were changed": (
        native(lambda part: np.save(part / "labels.npy", np.zeros(9, int))),
        "do not match the 3",
    ),
    "a description of another data set": (change_meta(dataset="fc100"), "data set 'fc100'"),
    "a description of another shape": (change_meta(shape=[9, 9]), "of shape"),
    "a mean beyond float32": (change_meta(mean=[1e39, 0, 0]), "list of three numbers"),
    "a mean of 400 digits": (change_meta(mean=[10**400, 0, 0]), "list of three numbers"),
    "a deviation below float32": (change_meta(std=[1e-50, 1, 1]), "not positive"),
    "a deviation of 0": (change_meta(std=[0, 1, 1]), "not positive"),
    "a deviation that is text": (change_meta(std="abc"), "list of three numbers"),
    "colours of another order": (change_meta(color_order="GRB"), "'color_order' is 'GRB'"),
    "a description without statistics": (
        native(lambda part: (part / "meta.json").write_text('{"format": "skd split 1"}')),
        "lacks dataset, shape",
    ),
    "a list of a name that is too long": (with_list("x" * 3000 + ",a"), "a name that is too long"),
    "names of a number": (change_meta(class_names=[1, 2, 3]), "not a list of text"),
    # Sets that are not whole.
    "a set without a part": (only_train, "pickles lack val"),
    "an empty folder": (lambda folder: ("cifar-fs", folder), "found nothing"),
    "a class in two parts": (shared_class, "is in train and in val"),
    "one file": (
        lambda folder: ("mini-imagenet", pickles(folder)),
        "give the folder that holds it",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_file_is_refused_and_nothing_written(case, tmp_path):
    make, message = CASES[case]
    folder = tmp_path / "source"
    folder.mkdir()
    name, root = make(folder)
    before = set(tmp_path.rglob("*"))
    with pytest.raises(skd.datasets.DataError, match=message) as refused:
        skd.datasets.import_data(root, name=name, to=tmp_path / "to")
    assert len(str(refused.value)) < 1200
    with pytest.raises(skd.datasets.DataError):
        skd.datasets.load(name, root)
    assert set(tmp_path.rglob("*")) == before
    assert not Path("canary").exists()


@pytest.mark.parametrize(
    "case",
    [
        "a zip bomb",
        "an archive that unpacks to 600 MB",
        "an array file of a declared terabyte",
        "a pickle of a declared terabyte",
        "a pickle of repeated text",
        "a pickle of the highest memo",
        "a picture of declared gigapixels",
        "an archive of very many members",
        "an archive with a long header",
    ],
)
def test_a_bomb_takes_little_memory(case, tmp_path):
    name, root = CASES[case][0](tmp_path)
    tracemalloc.start()
    try:
        with pytest.raises(skd.datasets.DataError):
            skd.datasets.import_data(root, name=name, to=tmp_path / "to")
        assert tracemalloc.get_traced_memory()[1] < 64_000_000
    finally:
        tracemalloc.stop()


def test_there_are_many_kinds_of_bad_files():
    assert len(CASES) >= 30


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        skd.datasets.load("fc100", tmp_path / "nowhere")


@pytest.mark.parametrize("share", [0.1, 0.3, 0.6, 0.9, 0.99])
def test_a_download_cut_anywhere_is_refused(share, tmp_path):
    path = pickles(tmp_path)
    cut(path, share)
    with pytest.raises(skd.datasets.DataError, match="truncated"):
        skd.datasets.load("cifar-fs", tmp_path)
    buffer = io.BytesIO()
    np.savez(buffer, images=IMAGES, labels=np.arange(9))
    for part in data_files.PARTS:
        (tmp_path / f"{part}.pickle").unlink()
        (tmp_path / f"{part}.npz").write_bytes(buffer.getvalue()[: int(share * buffer.tell())])
    with pytest.raises(skd.datasets.DataError, match="truncated"):
        skd.datasets.load("cifar-fs", tmp_path)
