#!/usr/bin/env python3
"""Rewrites a Whisper model in CTranslate2 form as a file for whisper.cpp, so that both run the same weights.

    ct2_to_ggml.py MODEL_FOLDER OUT.bin

Needs numpy. Matrices stay fp16; whisper.cpp's own `quantize` makes a q8_0 or q5_1 of it.
"""
import struct
import sys

import numpy as np

TYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}


def read(path):
    data = open(path, "rb").read()
    at = 4

    def string():
        nonlocal at
        (n,) = struct.unpack_from("<H", data, at)
        text = data[at + 2 : at + 1 + n].decode()
        at += 2 + n
        return text

    string()
    _, count = struct.unpack_from("<II", data, at)
    at += 8
    tensors = {}
    for _ in range(count):
        name = string()
        rank = data[at]
        shape = struct.unpack_from(f"<{rank}I", data, at + 1)
        kind, size = struct.unpack_from("<BI", data, at + 1 + 4 * rank)
        at += 6 + 4 * rank
        tensors[name] = np.frombuffer(data[at : at + size], TYPES[kind]).reshape(shape)
        at += size
    return tensors


def byte_of():
    """GPT-2's spelling of bytes, backwards."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [b for b in range(256) if b not in plain]
    return {chr(b): b for b in plain} | {chr(256 + i): b for i, b in enumerate(rest)}


def mel_filters(bins):
    hz = lambda m: 200 * m / 3 if m < 15 else 1000 * np.exp((m - 15) * np.log(6.4) / 27)
    h = [hz(m) for m in np.linspace(0, 45.245640471924965, bins + 2)]
    f = np.arange(201) * 40.0
    rows = [np.maximum(0, np.minimum((f - a) / (b - a), (c - f) / (c - b))) * 2 / (c - a)
            for a, b, c in zip(h, h[1:], h[2:])]
    return np.array(rows, np.float32)


def names(tensors, layers):
    yield "encoder.positional_embedding", tensors["encoder/position_encodings/encodings"]
    yield "decoder.positional_embedding", tensors["decoder/position_encodings/encodings"]
    yield "decoder.token_embedding.weight", tensors["decoder/embeddings/weight"]
    for conv in ("conv1", "conv2"):
        yield f"encoder.{conv}.weight", tensors[f"encoder/{conv}/weight"]
        yield f"encoder.{conv}.bias", tensors[f"encoder/{conv}/bias"][:, None]

    def both(ours, theirs):
        for a, b in (("weight", "weight"), ("bias", "bias"), ("gamma", "weight"), ("beta", "bias")):
            if f"{ours}/{a}" in tensors:
                yield f"{theirs}.{b}", tensors[f"{ours}/{a}"]

    yield from both("encoder/layer_norm", "encoder.ln_post")
    yield from both("decoder/layer_norm", "decoder.ln")
    for side in ("encoder", "decoder"):
        for i in range(layers):
            ours, theirs = f"{side}/layer_{i}", f"{side}.blocks.{i}"
            yield from split(tensors, f"{ours}/self_attention/linear_0", theirs, "attn", ("query", "key", "value"))
            yield from both(f"{ours}/self_attention/linear_1", f"{theirs}.attn.out")
            yield from both(f"{ours}/self_attention/layer_norm", f"{theirs}.attn_ln")
            if side == "decoder":
                yield from both(f"{ours}/attention/linear_0", f"{theirs}.cross_attn.query")
                yield from split(tensors, f"{ours}/attention/linear_1", theirs, "cross_attn", ("key", "value"))
                yield from both(f"{ours}/attention/linear_2", f"{theirs}.cross_attn.out")
                yield from both(f"{ours}/attention/layer_norm", f"{theirs}.cross_attn_ln")
            yield from both(f"{ours}/ffn/linear_0", f"{theirs}.mlp.0")
            yield from both(f"{ours}/ffn/linear_1", f"{theirs}.mlp.2")
            yield from both(f"{ours}/ffn/layer_norm", f"{theirs}.mlp_ln")


def split(tensors, ours, theirs, block, parts):
    weights = np.split(tensors[f"{ours}/weight"], len(parts))
    biases = np.split(tensors[f"{ours}/bias"], len(parts))
    for part, weight, bias in zip(parts, weights, biases):
        yield f"{theirs}.{block}.{part}.weight", weight
        if part != "key":  # whisper.cpp has no place for it; it is zero
            yield f"{theirs}.{block}.{part}.bias", bias


folder, out = sys.argv[1:3]
tensors = read(f"{folder}/model.bin")
width, bins = tensors["encoder/conv1/weight"].shape[:2]
layers = sum(f"encoder/layer_{i}/ffn/layer_norm/gamma" in tensors for i in range(64))
heads = int(tensors["encoder/num_heads"])
vocabulary = open(f"{folder}/vocabulary.txt", encoding="utf-8").read().split("\n")[: len(tensors["decoder/embeddings/weight"])]
text = [t for t in vocabulary if not (t.startswith("<|") and t.endswith("|>"))]
spelled = byte_of()
with open(out, "wb") as f:
    f.write(struct.pack("<12i", 0x67676D6C, len(vocabulary), 1500, width, heads, layers, 448, width, heads, layers, bins, 1))
    f.write(struct.pack("<2i", bins, 201) + mel_filters(bins).tobytes())
    f.write(struct.pack("<i", len(text)))
    for token in text:
        raw = bytes(spelled[c] for c in token)
        f.write(struct.pack("<i", len(raw)) + raw)
    for name, tensor in names(tensors, layers):
        half = tensor.ndim >= 2 and "positional" not in name and "bias" not in name
        body = tensor.astype(np.float16 if half else np.float32)
        f.write(struct.pack("<3i", body.ndim, len(name), int(half)))
        f.write(struct.pack(f"<{body.ndim}i", *reversed(body.shape)) + name.encode() + body.tobytes())
