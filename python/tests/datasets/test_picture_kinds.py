"""Pictures of every mode, depth and size that people have keep what they show."""

import io
import struct
import zlib

import numpy as np
import pytest
from bad_files import png_of_declared_size
from peak_memory import at_most
from PIL import Image

from skd.datasets import pictures

SIDE = 32
RAMP = np.tile(np.arange(SIDE, dtype=np.float32) / (SIDE - 1), (SIDE, 1))
GREY = np.rint(RAMP * 255).astype(np.uint8)


def written(tmp_path, image, name="picture.png", **options):
    path = tmp_path / name
    if isinstance(image, bytes):
        path.write_bytes(image)
    else:
        image.save(path, **options)
    return path


def read(tmp_path, image, name="picture.png", channels=3, side=SIDE, **options):
    return pictures.read_picture(written(tmp_path, image, name, **options), side, channels)


DEPTHS = [(np.float32, white) for white in (1, 255, 4095, 65535)]
DEPTHS += [(dtype, white) for dtype in (np.int32, np.uint16) for white in (255, 4095, 65535)]


@pytest.mark.parametrize(("dtype", "white"), DEPTHS)
def test_a_ramp_of_any_depth_is_a_ramp(tmp_path, dtype, white):
    pixels = read(tmp_path, Image.fromarray((RAMP * white).astype(dtype)), "ramp.tif")
    np.testing.assert_allclose(pixels[:, :, 0], GREY, atol=1)
    assert (pixels == pixels[:, :, :1]).all()


def test_sixteen_bits_of_a_png_file_are_a_ramp(tmp_path):
    image = Image.fromarray(np.rint(RAMP * 65535).astype(np.uint16))
    np.testing.assert_array_equal(read(tmp_path, image, channels=1)[:, :, 0], GREY)


def test_what_filters_leave_beyond_white_and_black_is_cut(tmp_path):
    pixels = read(tmp_path, Image.fromarray(RAMP * 1.1 - 0.05), "ramp.tif")
    assert pixels.min() == 0
    assert pixels.max() == 255


@pytest.mark.parametrize(
    "values",
    [RAMP * 2 - 1, RAMP * 9, RAMP * 1e-3, RAMP * 1e6, np.where(RAMP > 0.5, np.nan, RAMP),
     (RAMP * 12).astype(np.int32), (RAMP * 1e5).astype(np.int32), (RAMP * -99).astype(np.int32)],
)  # fmt: skip
def test_values_that_no_picture_has_are_refused_with_their_range(tmp_path, values):
    with pytest.raises(ValueError, match=r"its values are .*\.\..*; those of a picture fill"):
        read(tmp_path, Image.fromarray(values), "values.tif")


def tiff_of_16_bit_colours(white):
    """Return an uncompressed TIFF file of 16-bit RGB, which Pillow reads and does not write."""
    pixels = np.repeat(np.rint(RAMP * white).astype("<u2")[:, :, None], 3, axis=2).tobytes()
    tags = [(256, SIDE), (257, SIDE), (258, 16), (259, 1), (262, 2), (273, 8), (277, 3), (279, 0)]
    tags[-1] = (279, len(pixels))
    places = 8 + len(pixels)
    entries = b"".join(
        np.array([tag, 4], "<u2").tobytes() + np.array([1, value], "<u4").tobytes()
        for tag, value in tags
    )
    directory = np.array([len(tags)], "<u2").tobytes() + entries + bytes(4)
    return b"II*\0" + np.array([places], "<u4").tobytes() + pixels + directory


def test_colours_of_sixteen_bits_are_a_ramp_or_refused(tmp_path):
    pixels = read(tmp_path, tiff_of_16_bit_colours(65535), "colours.tif")
    np.testing.assert_allclose(pixels[:, :, 1], GREY, atol=1)
    with pytest.raises(ValueError, match="16 bits are almost black"):
        read(tmp_path, tiff_of_16_bit_colours(3000), "dark.tif")


def png_of_16_bits(grey, opacity=None):
    """Return a PNG file of 16-bit grey, with opacity or without."""
    planes = [grey] if opacity is None else [grey, opacity]
    rows = np.stack(planes, axis=-1).astype(">u2").reshape(SIDE, -1)
    lines = b"".join(b"\0" + row.tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 16, 0 if opacity is None else 4, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n"
    for name, data in ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b"")):
        content += struct.pack(">I", len(data)) + name + data
        content += struct.pack(">I", zlib.crc32(name + data))
    return content


def test_grey_of_sixteen_bits_with_opacity_is_a_ramp_over_white(tmp_path):
    opaque = np.full((SIDE, SIDE), 65535)
    pixels = read(tmp_path, png_of_16_bits(RAMP * 65535, opaque), channels=1)
    np.testing.assert_allclose(pixels[:, :, 0], GREY, atol=1)
    clear = np.where(RAMP > 0.5, 0, 65535)
    pixels = read(tmp_path, png_of_16_bits(np.zeros((SIDE, SIDE)), clear), channels=1)
    assert (pixels[:, : SIDE // 2] == 0).all()
    assert (pixels[:, SIDE // 2 :] == 255).all()
    with pytest.raises(ValueError, match="16 bits are almost black"):
        read(tmp_path, png_of_16_bits(RAMP * 3000, opaque))


MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "I", "F", "I;16")


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("mode", MODES)
def test_every_mode_gives_every_number_of_channels(tmp_path, mode, channels):
    grey = Image.fromarray(np.where(GREY > 127, 255, 0).astype(np.uint8))
    image = grey.convert("L" if mode == "PA" else mode)
    names = {"CMYK": "a.jpg", "YCbCr": "a.jpg", "RGBX": "a.tif", "F": "a.tif", "PA": "a.tif"}
    if mode == "PA":
        image = grey.convert("P").convert("PA")
        image = image if image.mode == "PA" else grey.convert("LA")
    pixels = read(tmp_path, image, names.get(mode, "a.tif"), channels)
    assert pixels.shape == (SIDE, SIDE, channels)
    assert pixels[:, 0, 0].max() < 20
    assert pixels[:, -1, 0].min() > 235
    if channels in (2, 4):
        assert (pixels[:, :, -1] == 255).all()


def drawing(mode, ink):
    """Return ink on the left half of a picture, and a transparent right half under which is ink."""
    opacity = np.where(RAMP < 0.5, 255, 0).astype(np.uint8)
    image = Image.new("RGB", (SIDE, SIDE), (ink, ink, ink)).convert("L" if "L" in mode else "RGB")
    image.putalpha(Image.fromarray(opacity))
    return image.convert(mode)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (90, 255), (255, 0)])
def test_what_is_transparent_can_be_told_from_ink(tmp_path, mode, channels, ink, paper):
    pixels = read(tmp_path, drawing(mode, ink), channels=channels)
    assert (pixels[:, : SIDE // 2] == ink).all()
    assert (pixels[:, SIDE // 2 :] == paper).all()


@pytest.mark.parametrize("mode", ["L", "P", "RGB"])
def test_a_colour_that_is_transparent_is_white(tmp_path, mode):
    image = Image.fromarray(np.where(RAMP > 0.5, 0, 90).astype(np.uint8)).convert(mode)
    pixels = read(tmp_path, image, transparency=image.getpixel((SIDE - 1, 0)))
    assert (pixels[:, : SIDE // 2] == 90).all()
    assert (pixels[:, SIDE // 2 :] == 255).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.webp"])
def test_every_orientation_is_turned_upright(tmp_path, name, orientation):
    upright = np.zeros((SIDE, SIDE), dtype=np.uint8)
    upright[: SIDE // 2, : SIDE // 2] = 255  # the top left is white
    upright[: SIDE // 2, SIDE // 2 :] = 128
    ways = {
        1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1],
        5: lambda a: a.T, 6: lambda a: np.rot90(a), 7: lambda a: a.T[::-1, ::-1],
        8: lambda a: np.rot90(a, -1),
    }  # fmt: skip
    exif = Image.Exif()
    exif[pictures.ORIENTATION] = orientation
    stored = Image.fromarray(np.ascontiguousarray(ways[orientation](upright))).convert("RGB")
    pixels = read(tmp_path, stored, name, channels=1, exif=exif)[:, :, 0]
    np.testing.assert_allclose(pixels, upright, atol=30)


def test_damaged_metadata_leave_the_picture(tmp_path):
    output = io.BytesIO()
    Image.fromarray(GREY).save(output, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\0\x01")
    np.testing.assert_allclose(read(tmp_path, output.getvalue(), "a.jpg")[:, :, 0], GREY, atol=4)


def test_a_photo_of_200_megapixels_is_read(tmp_path):
    path = written(tmp_path, Image.new("L", (16384, 12288), 100), "photo.jpg", quality=30)
    assert abs(int(pictures.read_picture(path, 16, 3).mean()) - 100) < 3


def test_the_limit_of_pixels_is_stated(tmp_path):
    with pytest.raises(ValueError, match="20000 x 12501 pixels are more than the limit of 250,000"):
        read(tmp_path, png_of_declared_size(20_000, 12_501))


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "CMYK", "F", "I;16"])
def test_a_huge_picture_in_few_bytes_takes_no_memory(tmp_path, mode):
    image = Image.new(mode, (16, 16))
    output = io.BytesIO()
    image.save(output, "TIFF")
    data = bytearray(output.getvalue())
    for tag in (256, 257):  # width and height, of 4 bytes each as Pillow writes them
        place = data.index(struct.pack("<HHI", tag, 4, 1))
        data[place + 8 : place + 12] = struct.pack("<I", 15_000)
    path = written(tmp_path, bytes(data), "huge.tif")
    refused = pytest.raises(
        ValueError, match=r"15000 x 15000 pixels in .* bytes cannot be a picture"
    )
    with at_most(8 << 20), refused:
        pictures.read_picture(path, SIDE, 3)


def test_a_page_of_one_colour_is_a_picture(tmp_path):
    assert (read(tmp_path, Image.new("L", (4000, 3000), 200), "page.png") == 200).all()


FOREIGN = {
    "page.png": (b"<!DOCTYPE html><html>", "an HTML page, not a picture"),
    "pointer.png": (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"),
    "photo.heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1", "'.heic' files is not read; convert it"),
    "drawing.eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n", "not a picture"),
    "drawing.svg": (b'<?xml version="1.0"?><svg/>', "an XML file, not a picture"),
    "paper.jpg": (b"%PDF-1.7\n", "a PDF document, not a picture"),
    "empty.png": (b"", "an empty file, not a picture"),
    "photos.jpg": (b"PK\x03\x04" + bytes(40), "a zip archive, not a picture"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_no_picture_is_called_what_it_is(tmp_path, name):
    content, message = FOREIGN[name]
    with pytest.raises(ValueError, match=message):
        read(tmp_path, content, name)


def test_a_drawing_language_is_not_run(tmp_path):
    """Pillow hands EPS files to a program, whatever their names are."""
    output = io.BytesIO()
    Image.new("RGB", (8, 8)).save(output, "EPS")
    with pytest.raises(ValueError, match="not a picture"):
        read(tmp_path, output.getvalue(), "photo.png")
