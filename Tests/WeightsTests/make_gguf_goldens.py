"""Makes Golden/*.gguf and Golden/*.f32 with the reference implementation of the format: the `gguf` package.

python3 make_gguf_goldens.py (gguf 0.19.0, numpy 2; fixed seed)
"""

import pathlib

import gguf
import numpy as np
from gguf import GGMLQuantizationType as T

FOLDER = pathlib.Path(__file__).parent / "Golden"
QUANTIZED = [T.F16, T.BF16, T.Q8_0, T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1]  # which the package can make
RANDOM = [T.Q4_K, T.Q5_K, T.Q6_K]  # which it can only read: any bits are a block
HALVES = {T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208]}  # where in a block a half lies


def random_blocks(rng, kind, rows, columns):
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = rng.integers(0, 256, (rows * columns // elements, size), dtype=np.uint8)
    for place in HALVES[kind]:  # finite, both signs, a subnormal and a zero among them
        halves = (rng.standard_normal(len(blocks)) * 0.05).astype(np.float16)
        halves[0], halves[1] = 0, np.float16(3e-7)
        blocks[:, place:place + 2] = halves.view(np.uint8).reshape(-1, 2)
    return blocks.reshape(rows, columns // elements * size)


def types():
    """One matrix [5, 512] of every type, and beside it what the reference makes of it."""
    rng = np.random.default_rng(4)
    writer = gguf.GGUFWriter(FOLDER / "types.gguf", "gemma3n")
    floats = []
    for kind in QUANTIZED + RANDOM:
        if kind in RANDOM:
            stored = random_blocks(rng, kind, 5, 512)
        else:
            values = rng.standard_normal((5, 512)).astype(np.float32) * np.float32(0.1)
            values[1, 32:64] = 0  # a block of zeros
            stored = gguf.quants.quantize(values, kind)
        writer.add_tensor(kind.name.lower(), stored, raw_dtype=kind)
        floats.append(gguf.quants.dequantize(stored, kind).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    # Half of the rows is enough to compare, and small.
    np.stack(floats)[:, 1:4].tofile(FOLDER / "types.f32")


def header():
    """Values of every kind, and elements that are stored one by one."""
    writer = gguf.GGUFWriter(FOLDER / "header.gguf", "gemma3n")
    writer.add_custom_alignment(128)
    writer.add_uint8("u8", 200)
    writer.add_int8("i8", -100)
    writer.add_uint16("u16", 60_000)
    writer.add_int16("i16", -30_000)
    writer.add_uint32("u32", 4_000_000_000)
    writer.add_int32("i32", -2_000_000_000)
    writer.add_uint64("u64", 1 << 40)
    writer.add_key_value("u64.max", (1 << 64) - 1, gguf.GGUFValueType.UINT64)
    writer.add_int64("i64", -(1 << 40))
    writer.add_float32("f32", 0.1)
    writer.add_float64("f64", 0.1)
    writer.add_bool("yes", True)
    writer.add_bool("no", False)
    writer.add_string("text", "naïve \N{GRINNING FACE}")
    writer.add_array("texts", ["<pad>", "", "▁the", "\n"])
    writer.add_array("i32s", [-1, 0, 70_000])
    writer.add_array("f32s", [0.5, -1.0])
    writer.add_array("flags", [True, False, True])
    writer.add_tensor("f32", np.arange(6, dtype=np.float32).reshape(2, 3))
    writer.add_tensor("i8", np.arange(-3, 3, dtype=np.int8))
    writer.add_tensor("i16", np.arange(-3, 3, dtype=np.int16))
    writer.add_tensor("i32", np.array([-7], dtype=np.int32))
    writer.add_tensor("i64", np.array([1 << 40], dtype=np.int64))
    writer.add_tensor("f64", np.array([[0.1], [-2.0]]))
    writer.add_tensor("cube", np.arange(24, dtype=np.float16).reshape(2, 3, 4))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


FOLDER.mkdir(exist_ok=True)
types()
header()
