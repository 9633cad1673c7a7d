"""Writes the goldens of the picture tests beside this file: small JPEGs in Pictures/ with their pixels by Pillow,
and resized.tsv with checksums by torch.

python3 make_picture_goldens.py            (needs pillow, numpy, torch)
"""
import io
import pathlib
import zlib

import numpy as np
import torch
from PIL import Image

HERE = pathlib.Path(__file__).parent
PICTURES = HERE / "Pictures"


def split_mix_64(seed, count):
    """The top byte of each number of SplitMix64, as PictureResizeTests draws them."""
    state, out = seed, bytearray()
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) % 2**64
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) % 2**64
        out.append((z ^ (z >> 31)) >> 56)
    return np.frombuffer(bytes(out), dtype=np.uint8)


def scene(width, height):
    """Soft colours with a hard edge: every part of a decoder has work."""
    y, x = np.mgrid[0:height, 0:width]
    rgb = np.stack([x * 255 // (width - 1), y * 255 // (height - 1), (x * 7 + y * 13) % 256], axis=-1)
    rgb[height // 3 : height // 2, width // 4 : width // 2] = [250, 240, 20]
    return Image.fromarray(rgb.astype(np.uint8))


def write_jpegs():
    cases = {
        "s420": ("RGB", 41, 23, dict(subsampling="4:2:0")),
        "s422": ("RGB", 41, 23, dict(subsampling="4:2:2")),
        "s444": ("RGB", 40, 24, dict(subsampling="4:4:4")),
        "gray": ("L", 33, 17, {}),
        "cmyk": ("CMYK", 33, 17, {}),
        "progressive": ("RGB", 41, 23, dict(progressive=True)),
        "optimized": ("RGB", 41, 23, dict(optimize=True)),
        "restarts": ("RGB", 64, 48, dict(restart_marker_blocks=1)),
        "rgb": ("RGB", 33, 17, dict(keep_rgb=True)),
    }
    for name, (mode, width, height, options) in cases.items():
        data = io.BytesIO()
        scene(width, height).convert(mode).save(data, "JPEG", quality=80, **options)
        (PICTURES / f"{name}.jpg").write_bytes(data.getvalue())
        pixels = np.asarray(Image.open(data).convert("RGB"))
        (PICTURES / f"{name}_{width}x{height}.rgb").write_bytes(pixels.tobytes())


def write_checksums():
    lines = ["width\theight\tchannels\tto_width\tto_height\tfilter\tcrc32\tpillow_crc32"]
    sizes = [
        (64, 48, 32, 24), (64, 48, 16, 16), (64, 48, 100, 90), (53, 37, 53, 20), (53, 37, 20, 37), (53, 37, 90, 11),
        (3, 1, 5, 7), (7, 5, 2, 1), (2, 90, 3, 40), (128, 9, 1, 18), (200, 150, 64, 64), (31, 31, 31, 31),
    ]
    for index, (width, height, to_width, to_height) in enumerate(sizes):
        for channels in (1, 3):
            pixels = split_mix_64(index + 1, width * height * channels).reshape(height, width, channels)
            batch = torch.from_numpy(pixels.transpose(2, 0, 1).copy())[None]
            picture = Image.fromarray(pixels if channels == 3 else pixels[:, :, 0])
            for mode in ("bilinear", "bicubic"):
                out = torch.nn.functional.interpolate(batch, size=(to_height, to_width), mode=mode, antialias=True)
                crc = zlib.crc32(out[0].numpy().transpose(1, 2, 0).tobytes())
                # In two steps: of itself Pillow 13 takes the vertical pass first where that is much less work.
                kernel = Image.Resampling[mode.upper()]
                small = picture.resize((to_width, height), kernel).resize((to_width, to_height), kernel)
                pillow_crc = zlib.crc32(small.tobytes())
                row = (width, height, channels, to_width, to_height, mode, crc, pillow_crc)
                lines.append("\t".join(map(str, row)))
    (HERE / "resized.tsv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    write_jpegs()
    write_checksums()
