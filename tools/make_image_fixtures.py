#!/usr/bin/env python3
"""Writes tests/data/images: encoded pictures and label maps, and what Pillow (and OpenCV, if installed) make of them.

Debian: apt-get install python3-pil python3-numpy (python3-opencv for the cv_* files). Run from the repository root:
    /usr/bin/python3 tools/make_image_fixtures.py
Expected pixels are gzipped raw bytes, rows from the top; sizes are in the file names, as NAME.WIDTHxHEIGHT.rgb.gz (or .u8.gz for one channel).
"""
import gzip
import io
import os
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps

OUT = os.path.join("tests", "data", "images")


def picture(width, height, seed):
    """A smooth gradient with a disc, a bar and a little noise: edges, flats and saturation in few pixels."""
    rng = np.random.RandomState(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    rgb = np.stack([255 * x / width, 255 * y / height, 128 + 100 * np.sin(x / 5 + y / 7)], axis=2)
    rgb[(x - width * 0.4) ** 2 + (y - height * 0.5) ** 2 < (min(width, height) * 0.25) ** 2] = (250, 40, 10)
    rgb[:, int(width * 0.8):int(width * 0.8) + 2] = (0, 255, 255)
    rgb += rng.normal(0, 12, rgb.shape)
    return np.clip(rgb, 0, 255).astype(np.uint8)


def save_raw(name, array):
    array = np.ascontiguousarray(array, dtype=np.uint8)
    kind = "rgb" if array.ndim == 3 else "u8"
    path = os.path.join(OUT, f"{name}.{array.shape[1]}x{array.shape[0]}.{kind}.gz")
    with open(path, "wb") as f:
        f.write(gzip.compress(array.tobytes(), 9, mtime=0))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth, colour, rows, extra=b"", interlace=0):
    """A PNG from already filtered rows (each with its filter byte)."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(b"".join(rows), 9))
            + chunk(b"IEND", b""))


def write(name, data):
    with open(os.path.join(OUT, name), "wb") as f:
        f.write(data)


def encode(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def readable_pictures():
    base = Image.fromarray(picture(25, 17, 1))
    files = {
        "rgb.jpg": encode(base, "JPEG", quality=92),
        "rgb444.jpg": encode(base, "JPEG", quality=92, subsampling=0),
        "progressive.jpg": encode(base, "JPEG", quality=85, progressive=True),
        "grey.jpg": encode(base.convert("L"), "JPEG", quality=92),
        "cmyk.jpg": encode(base.convert("CMYK"), "JPEG", quality=95),
        "rgb.png": encode(base, "PNG"),
        "grey.png": encode(base.convert("L"), "PNG"),
        "bit.png": encode(base.convert("1"), "PNG"),
        "palette.png": encode(base.quantize(32), "PNG"),
        "lossless.webp": encode(base, "WEBP", lossless=True),
        "lossy.webp": encode(base, "WEBP", quality=90),
        "rgb.bmp": encode(base, "BMP"),
        "still.gif": encode(base.quantize(64), "GIF"),
    }
    other = Image.fromarray(picture(25, 17, 2)).quantize(16)
    files["moving.gif"] = encode(base.quantize(16), "GIF", save_all=True, append_images=[other])
    alpha = np.mgrid[0:17, 0:25][1] * 10
    rgba = np.dstack([np.array(base), alpha.astype(np.uint8)])
    files["rgba.png"] = encode(Image.fromarray(rgba), "PNG")
    files["rgba.webp"] = encode(Image.fromarray(rgba), "WEBP", lossless=True, exact=True)
    files["greyalpha.png"] = encode(Image.fromarray(rgba).convert("LA"), "PNG")
    paletted = base.quantize(8)
    files["palettealpha.png"] = encode(paletted, "PNG", transparency=bytes([0, 128, 255, 7, 0, 64, 255, 255]))  # Pillow warns; the colours are what counts
    # Sixteen bits: Pillow keeps the high byte of RGB; low bytes are noise here so that rounding instead of truncating would show.
    rng = np.random.RandomState(3)
    wide = np.array(base).astype(np.uint16) * 256 + rng.randint(0, 256, (17, 25, 3)).astype(np.uint16)
    files["rgb16.png"] = png(25, 17, 16, 2, [b"\0" + wide[y].astype(">u2").tobytes() for y in range(17)])
    files["grey16.png"] = png(25, 17, 16, 0, [b"\0" + wide[y, :, 0].astype(">u2").tobytes() for y in range(17)])
    for name, data in files.items():
        write(name, data)
        image = Image.open(io.BytesIO(data))
        if name == "grey16.png":
            expected = np.repeat((np.array(wide[:, :, 0]) >> 8)[:, :, None], 3, axis=2)  # Pillow would clip, not scale, this mode
        else:
            expected = np.array(image.convert("RGB"))
        save_raw(name, expected)
    small = Image.fromarray(picture(16, 8, 4)).resize((32, 16), Image.NEAREST)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        data = encode(small, "JPEG", quality=90, subsampling=0, exif=exif)
        write(f"exif{orientation}.jpg", data)
    save_raw("exif1.jpg", np.array(Image.open(os.path.join(OUT, "exif1.jpg"))))
    write("rgb.truncated.jpg", files["rgb.jpg"][:-400])
    write("rgb.truncated.png", files["rgb.png"][:-600])
    huge = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    write("huge.png", b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", huge) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b""))


def orientation_check():
    """EXIF orientations as numpy operations, against Pillow's own; the tests apply the same operations to exif1's pixels."""
    for orientation in range(1, 9):
        image = Image.open(os.path.join(OUT, f"exif{orientation}.jpg"))
        a = np.array(image)
        turned = {1: a, 2: a[:, ::-1], 3: a[::-1, ::-1], 4: a[::-1], 5: a.transpose(1, 0, 2), 6: a[::-1].transpose(1, 0, 2),
                  7: a[::-1, ::-1].transpose(1, 0, 2), 8: a[:, ::-1].transpose(1, 0, 2)}[orientation]
        assert np.array_equal(turned, np.array(ImageOps.exif_transpose(image))), orientation
        if orientation == 6:
            save_raw(f"exif{orientation}.jpg", turned)


ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def paeth(a, b, c):
    p = a + b - c
    pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
    return a if pa <= pb and pa <= pc else b if pb <= pc else c


def filtered_rows(labels, depth, filters):
    rows, previous = [], None
    for y, line in enumerate(labels):
        if depth == 16:
            raw = line.astype(">u2").tobytes()
        elif depth == 8:
            raw = line.astype(np.uint8).tobytes()
        else:
            bits = "".join(format(int(v), f"0{depth}b") for v in line)
            bits += "0" * (-len(bits) % 8)
            raw = bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))
        previous = previous if previous is not None else bytes(len(raw))
        bpp = max(1, depth // 8)
        kind = filters[y % len(filters)]
        out = bytearray([kind])
        for i, value in enumerate(raw):
            left = raw[i - bpp] if i >= bpp else 0
            up, corner = previous[i], previous[i - bpp] if i >= bpp else 0
            out.append((value - [0, left, up, (left + up) // 2, paeth(left, up, corner)][kind]) & 255)
        rows.append(bytes(out))
        previous = raw
    return rows


def label_maps():
    rng = np.random.RandomState(5)
    width, height = 29, 19
    colours = rng.randint(0, 256, 768).astype(np.uint8).tobytes()
    for colour, depths in ((0, (1, 2, 4, 8, 16)), (3, (1, 2, 4, 8))):
        for depth in depths:
            for interlace in (0, 1):
                limit = min(256, 2 ** depth)
                labels = rng.randint(0, limit, (height, width))
                labels[4:9, 5:20] = limit - 1
                palette = chunk(b"PLTE", colours[:3 * limit]) if colour == 3 else b""
                rows = []
                for x0, y0, sx, sy in (ADAM7 if interlace else [(0, 0, 1, 1)]):
                    part = labels[y0::sy, x0::sx]
                    if part.size:
                        rows += filtered_rows(part, depth, [4, 3, 2, 1, 0])
                data = png(width, height, depth, colour, rows, palette, interlace)
                name = f"label-{'grey' if colour == 0 else 'palette'}{depth}{'-adam7' if interlace else ''}.png"
                write(name, data)
                save_raw(name, labels)
                image = Image.open(io.BytesIO(data))
                if colour == 3:
                    assert np.array_equal(np.array(image), labels), name
                elif depth == 8:
                    assert np.array_equal(np.array(image), labels), name
    # A VOC-like mask as Pillow writes it.
    mask = np.zeros((40, 50), np.uint8)
    mask[5:30, 8:25] = 15
    mask[20:38, 22:44] = 20
    mask[19:21, 8:44] = 255
    image = Image.fromarray(mask, "P")
    image.putpalette(voc_palette())
    write("voc-mask.png", encode(image, "PNG"))
    save_raw("voc-mask.png", mask)
    over = np.full((3, 3), 300)
    write("label-over255.png", png(3, 3, 16, 0, filtered_rows(over, 16, [0])))


def voc_palette():
    palette = []
    for index in range(256):
        r = g = b = 0
        for bit in range(8):
            r |= ((index >> (3 * bit)) & 1) << (7 - bit)
            g |= ((index >> (3 * bit + 1)) & 1) << (7 - bit)
            b |= ((index >> (3 * bit + 2)) & 1) << (7 - bit)
        palette += [r, g, b]
    return palette


def resized():
    source = picture(61, 47, 6)
    save_raw("resample-source", source)
    image = Image.fromarray(source)
    for width, height in ((30, 23), (17, 40), (13, 60), (61, 20), (25, 47), (7, 5), (90, 12), (1, 1)):
        save_raw(f"bicubic.61x47-to", np.array(image.resize((width, height), Image.BICUBIC)))
    for width, height in ((30, 23), (70, 20), (7, 60)):
        save_raw(f"bilinear.61x47-to", np.array(image.resize((width, height), Image.BILINEAR)))
    labels = np.random.RandomState(7).randint(0, 256, (13, 21)).astype(np.uint8)
    save_raw("nearest-source", labels)
    for width, height in ((40, 9), (10, 30), (7, 5)):
        save_raw("nearest-pil.21x13-to", np.array(Image.fromarray(labels).resize((width, height), Image.NEAREST)))
    # CLIP: short side to 32 (torchvision's size rule), bicubic, centre crop with torchvision's rounding.
    for width, height in ((61, 47), (33, 58), (20, 51)):
        if (width, height) != (61, 47):
            source = picture(width, height, width)
            save_raw("clip-source", source)
        size = 32
        w, h = (size, int(size * height / width)) if width <= height else (int(size * width / height), size)
        left, top = int(round((w - size) / 2.0)), int(round((h - size) / 2.0))
        crop = np.array(Image.fromarray(source).resize((w, h), Image.BICUBIC))[top:top + size, left:left + size]
        save_raw(f"clip-crop.{width}x{height}-to", crop)


def opencv():
    try:
        import cv2
    except ImportError:
        print("OpenCV is not installed: cv_* files are left as they are")
        return
    source = picture(61, 47, 6)
    for width, height in ((30, 23), (70, 20), (20, 70)):
        save_raw("cv-linear.61x47-to", cv2.resize(source, (width, height), interpolation=cv2.INTER_LINEAR))
    labels = np.random.RandomState(7).randint(0, 256, (13, 21)).astype(np.uint8)
    for width, height in ((40, 9), (10, 30), (7, 5)):
        save_raw("cv-nearest.21x13-to", cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST))
    source = np.ascontiguousarray(source[10:38, 10:40])
    save_raw("cv-hsv-source", source)
    save_raw("cv-hsv", cv2.cvtColor(source, cv2.COLOR_RGB2HSV))
    save_raw("cv-hsv-back", cv2.cvtColor(cv2.cvtColor(source, cv2.COLOR_RGB2HSV), cv2.COLOR_HSV2RGB))


def main():
    os.makedirs(OUT, exist_ok=True)
    readable_pictures()
    orientation_check()
    label_maps()
    resized()
    opencv()
    total = sum(os.path.getsize(os.path.join(OUT, f)) for f in os.listdir(OUT))
    print(f"{len(os.listdir(OUT))} files, {total} bytes")


if __name__ == "__main__":
    main()
