#!/usr/bin/env python3
"""Makes the goldens of the picture encoder: a tiny MobileNetV5 whose weights are a hash, run by timm in float32.

  make_vision_goldens.py     writes Golden/vision.safetensors and Golden/vision.json beside this script

Needs torch, timm, numpy, safetensors. VisionGoldenTests.swift and HashWeights.swift make the same weights in Swift. The
sizes take the four paths of the fusion neck: none, mean of 2 and of 3, bilinear, and odd sides.
"""
import json
import math
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import timm
import torch
from safetensors.torch import save_file

from make_goldens import GOLDEN, hash_values

STRIDE = 211  # every 211th value of a map
SIZES = (64, 128, 192, 80, 72)
TEXT_WIDTH, WIDTH, IDS = 32, 2048, 8


def er(stride, channels):
    return dict(block_type="er", out_chs=channels, stride=stride, act_layer=None, exp_kernel_size=3, pw_kernel_size=1,
                exp_ratio=4.0, force_in_chs=0, se_ratio=0.0, noskip=False)


def uir(start, middle, stride, expand, channels):
    return dict(block_type="uir", out_chs=channels, stride=stride, act_layer=None, dw_kernel_size_start=start,
                dw_kernel_size_mid=middle, dw_kernel_size_end=0, exp_ratio=float(expand), se_ratio=0.0, noskip=False)


def mqa(heads, dim, kv_stride, channels, kernel=3):
    return dict(block_type="mqa", out_chs=channels, stride=1, act_layer=None, dw_kernel_size=kernel, num_heads=heads,
                key_dim=dim, value_dim=dim, kv_stride=kv_stride, noskip=False)


ARGUMENTS = {"stem_size": 8, "msfa_output_resolution": 4, "block_args": [
    [er(2, 32), er(1, 32)],
    [uir(3, 5, 2, 6, 16), uir(5, 0, 1, 4, 16), uir(3, 3, 1, 2, 16), uir(3, 0, 1, 2, 24)],
    [uir(5, 0, 2, 3, 24), uir(0, 0, 1, 1, 24), mqa(3, 8, 2, 24), uir(0, 0, 1, 2, 24), mqa(2, 20, 2, 24, 5),
     uir(0, 0, 1, 1.5, 40)],
    [uir(0, 5, 2, 2, 40), mqa(2, 12, 1, 40), uir(0, 0, 1, 2, 40)]]}


def spread(name, shape):
    """(mean, amplitude); the same rules as in VisionGoldenTests.swift."""
    if name.endswith("layer_scale.gamma"):
        return 0.4, 0.2
    if name.endswith(".bias"):
        return 0.0, 0.2
    if len(shape) == 1:
        return 1.0, 0.3
    return 0.0, 1.75 / math.sqrt(math.prod(shape[1:]))


def weight(name, shape):
    values = hash_values(name, math.prod(shape), *spread(name, shape))
    return torch.from_numpy(values).view(tuple(shape))


def rms(x, scale=None):
    x = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)
    return x if scale is None else x * scale


@torch.no_grad()
def main():
    torch.set_num_threads(1)
    network = timm.create_model("mobilenetv5_300m_enc", pretrained=False, **json.loads(json.dumps(ARGUMENTS))).eval()
    for name, value in network.state_dict().items():
        value.copy_(weight("vision_tower.timm_model." + name, value.shape))
    projection = weight("embed_vision.embedding_projection.weight", (TEXT_WIDTH, WIDTH))
    embedding = weight("embed_vision.embedding.weight", (IDS, WIDTH))
    soft, hard = (weight(f"embed_vision.{kind}_embedding_norm.weight", (WIDTH,)) for kind in ("soft", "hard"))
    gold = {"hard": rms(rms(embedding, hard) @ projection.T)}
    taps = {}
    parts = {"stem": network.conv_stem, "tower": network.msfa,
             **{f"stage{i}": stage for i, stage in enumerate(network.blocks)}}
    for part, module in parts.items():
        module.register_forward_hook(lambda _m, _i, out, part=part: taps.update({part: out.clone()}))
    for size in SIZES:
        picture = hash_values(f"picture{size}", size * size * 3, 127.5, 127.5).astype(np.uint8)
        pixels = torch.from_numpy(picture.reshape(size, size, 3)).permute(2, 0, 1)[None].float() / 255
        network(pixels)
        for part in parts:
            gold[f"{size}.{part}"] = taps[part].flatten()[::STRIDE].clone()
        tower = taps["tower"].flatten(2)[0].T * math.sqrt(WIDTH)
        gold[f"{size}.tokens"] = rms(rms(tower, soft) @ projection.T)
    file = GOLDEN / "vision.safetensors"
    save_file({key: value.contiguous() for key, value in gold.items()}, file)
    config = {"vision_soft_tokens_per_image": 16, "vision_config": {
        "architecture": "mobilenetv5_300m_enc", "hidden_size": WIDTH, "vocab_size": IDS, "vocab_offset": 96,
        "model_args": ARGUMENTS}}
    (GOLDEN / "vision.json").write_text(json.dumps(config, indent=1) + "\n")
    print(file.stat().st_size, "bytes; largest values", {k: round(float(v.abs().max()), 2) for k, v in gold.items()})
    assert file.stat().st_size < 64 * 1024


if __name__ == "__main__":
    main()
