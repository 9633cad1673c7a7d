#!/usr/bin/env python3
"""Gemma 3n's picture encoder at full size beside timm in torch: the same random weights, pictures, threads and machine.

    gemma_vision.py FOLDER [--sizes 256,512,768] [--threads N] [--runs N] [--no-torch]

FOLDER gets a checkpoint whose picture half has the published size (300 M parameters, random) and whose text half is small;
it is made if it is not there (0.7 GB). Compared are narrator in fp32 with torch in fp32 (`narrator models verify`, bound
1e-4), then the times of torch in bf16 and fp32, network alone, and of narrator in 8 bits, from a picture's bytes to its
soft tokens. Needs torch, transformers, timm, safetensors. Absolute times drift; compare within one call.
"""
import argparse
import json
import math
import os
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT = dict(
    model_type="gemma3n_text", vocab_size=160, vocab_size_per_layer_input=128, hidden_size=2048, head_dim=32,
    num_attention_heads=4, num_key_value_heads=2, hidden_size_per_layer_input=32, laurel_rank=32, num_hidden_layers=2,
    num_kv_shared_layers=1, intermediate_size=[64, 64], sliding_window=64, activation_sparsity_pattern=[0.0, 0.0],
    layer_types=["full_attention", "full_attention"], max_position_embeddings=1024, rope_theta=1e6,
    rope_local_base_freq=1e4)
VISION = dict(model_type="gemma3n_vision", architecture="mobilenetv5_300m_enc", do_pooling=False, hidden_size=2048,
              vocab_size=16, vocab_offset=128, model_args=None, label_names=["LABEL_0", "LABEL_1"])


def make(folder):
    """Random weights that keep every term of the network alive."""
    import torch
    from safetensors.torch import save_file
    from transformers import Gemma3nConfig, Gemma3nForConditionalGeneration
    config = dict(
        model_type="gemma3n", architectures=["Gemma3nForConditionalGeneration"], text_config=TEXT, vision_config=VISION,
        audio_config=dict(model_type="gemma3n_audio", hidden_size=32, conf_num_hidden_layers=1, vocab_size=16,
                          conf_num_attention_heads=4, sscp_conv_channel_size=[8, 8], vocab_offset=144),
        vision_soft_tokens_per_image=256, boi_token_id=5, eoi_token_id=128, image_token_id=129, boa_token_id=6,
        eoa_token_id=144, audio_token_id=145, eos_token_id=1)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    with torch.device("meta"):
        model = Gemma3nForConditionalGeneration(Gemma3nConfig.from_dict(json.loads(json.dumps(config))))
    noise = torch.Generator().manual_seed(1)
    tensors = {}
    for name, value in sorted(model.state_dict().items()):
        if name == "lm_head.weight":
            continue
        mean, deviation = 0.0, 1 / math.sqrt(math.prod(value.shape[1:]) or 1)
        if name.endswith("layer_scale.gamma"):
            mean, deviation = 0.4, 0.1
        elif value.dim() == 1:
            mean, deviation = (0.0, 0.1) if name.endswith(".bias") else (1.0, 0.2)
        tensors[name] = (torch.randn(value.shape, generator=noise) * deviation + mean).to(torch.bfloat16)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def torch_half(a):
    """Times of torch by size and type; writes FOLDER/goldens.safetensors."""
    import numpy as np
    import torch
    from safetensors.torch import save_file
    from transformers import Gemma3nForConditionalGeneration
    torch.set_num_threads(a.threads)
    core = Gemma3nForConditionalGeneration.from_pretrained(a.folder, dtype=torch.float32).eval().model
    goldens, times = {}, {}
    with torch.inference_mode():
        for kind in (torch.float32, torch.bfloat16):
            tower, embedder = core.vision_tower.to(kind), core.embed_vision.to(kind)
            for size in a.sizes:
                y, x = np.mgrid[0:size, 0:size] / size
                picture = np.stack([x, y, 0.5 + 0.4 * np.sin(20 * x) * np.cos(30 * y)], 0)
                picture += np.random.RandomState(9).uniform(-0.1, 0.1, picture.shape)
                pixels = torch.from_numpy(np.clip(picture, 0, 1)).float()[None]
                if kind == torch.float32:
                    goldens[f"vision{size}.pixels"] = pixels
                    goldens[f"vision{size}.projected"] = core.get_image_features(pixels).pooler_output
                else:
                    core.get_image_features(pixels.to(kind))
                taken = []
                for _ in range(a.runs):
                    start = time.perf_counter()
                    core.get_image_features(pixels.to(kind))
                    taken.append(time.perf_counter() - start)
                times[size, str(kind).split(".")[1]] = min(taken)
    save_file({name: value.contiguous() for name, value in goldens.items()}, a.folder / "goldens.safetensors")
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sizes", type=lambda text: [int(n) for n in text.split(",")], default=[256, 512, 768])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--no-torch", action="store_true", help="narrator alone, on the goldens that are there")
    parser.add_argument("--binary", default=str(ROOT / ".build" / "release" / "narrator"))
    a = parser.parse_args()
    if not (a.folder / "model.safetensors").exists():
        make(a.folder)
    times = {} if a.no_torch else torch_half(a)
    environment = {**os.environ, "NARRATOR_THREADS": str(a.threads)}
    done = subprocess.run([a.binary, "models", "verify", a.folder, a.folder / "goldens.safetensors", "--json"],
                          capture_output=True, text=True, env=environment)
    for result in json.loads(done.stdout)["results"]:
        print(f"{result['name']}: largest error {result['max_abs_error']:.1e}, bound {result['bound']:.0e}")
    done = subprocess.run(
        [a.binary, "bench", "--model", a.folder, "--json", "--prefill", "16", "--decode", "4", "--threads",
         str(a.threads)], capture_output=True, text=True, check=True, env=environment)
    figures = json.loads(done.stdout)
    for size in a.sizes:
        ours = figures.get(f"vision_encoder_{size}_s")
        line = f"{size} x {size}: narrator {ours:.2f} s"
        for kind in ("bfloat16", "float32"):
            if (size, kind) in times:
                line += f", torch {kind} {times[size, kind]:.2f} s ({times[size, kind] / ours:.1f} times)"
        print(line)
    print(f"narrator's memory: {figures['vision_scratch_bytes'] / 1e6:.0f} MB beside the weights, "
          f"{figures['peak_rss_with_encoders_bytes'] / 1e6:.0f} MB peak")


if __name__ == "__main__":
    main()
