#!/usr/bin/env python3
"""Gemma 3n's audio encoder at full size with random weights: narrator's results and times beside transformers' and torch's.

    gemma_audio.py --work DIR [--threads 2] [--seconds 10] [--runs 3] [--layers 12] [--skip-times]

DIR gets a checkpoint (1.4 GB in bfloat16: the published audio encoder, a text model of two small layers), a goldens file for
`narrator models verify`, and a quantised file. Printed: the largest difference of every stage from transformers in float32,
with float32 weights and with the quantised file; seconds for the whole sound, and per second of it as it arrives.
Needs torch, transformers, safetensors, numpy. Absolute figures drift with the machine; compare those of one call.
"""
import argparse
import json
import os
import statistics
import subprocess
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from transformers import Gemma3nAudioConfig, Gemma3nAudioFeatureExtractor, Gemma3nTextConfig
from transformers.models.gemma3n.modeling_gemma3n import (
    Gemma3nAudioEncoder, Gemma3nMultimodalEmbedder, Gemma3nTextModel)

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DERIVED = ("inv_timescales", "post_projection_norm", "softcap")

TEXT = dict(
    model_type="gemma3n_text", vocab_size=768, vocab_size_per_layer_input=512, hidden_size=2048, num_hidden_layers=2,
    num_kv_shared_layers=0, num_attention_heads=8, num_key_value_heads=2, head_dim=256, intermediate_size=[512, 512],
    hidden_size_per_layer_input=256, laurel_rank=64, sliding_window=512, activation_sparsity_pattern=[0.0, 0.0],
    layer_types=["sliding_attention", "full_attention"])


def parts(layers):
    audio = Gemma3nAudioConfig(conf_num_hidden_layers=layers, vocab_offset=640)
    text = Gemma3nTextConfig(**TEXT)
    modules = {"model.audio_tower.": Gemma3nAudioEncoder(audio), "model.embed_audio.": Gemma3nMultimodalEmbedder(audio, text),
               "model.language_model.": Gemma3nTextModel(text)}
    return audio, modules


def make(folder, layers):
    """Random weights that keep every term of the forward pass in play, and the configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    audio, modules = parts(layers)
    generator, tensors = torch.Generator().manual_seed(7), {}
    for prefix, module in modules.items():
        for name, value in module.state_dict().items():
            if any(word in name for word in DERIVED):
                continue
            shape = value.shape
            if name.endswith("per_dim_scale"):
                mean, spread = 0.0, 0.5
            elif len(shape) < 2:
                mean, spread = 1.0, 0.2
            else:
                mean, spread = 0.0, 1 / np.sqrt(np.prod(shape[1:]))
            tensors[prefix + name] = (torch.randn(shape, generator=generator) * spread + mean).to(torch.bfloat16)
    save_file(tensors, folder / "model.safetensors")
    config = {"model_type": "gemma3n", "text_config": TEXT, "audio_config": {
        key: value for key, value in audio.to_dict().items() if key.startswith(("conf_", "sscp_", "hidden", "vocab"))}}
    (folder / "config.json").write_text(json.dumps(config))


def sound(seconds):
    """Tones, a rising one, a pause and a little noise."""
    t = np.arange(int(seconds * 16000)) / 16000
    wave = 0.4 * np.sin(2 * np.pi * 220 * t) + 0.2 * np.sin(2 * np.pi * (300 + 90 * t) * t)
    wave += 0.01 * np.random.RandomState(7).randn(len(t))
    wave[len(t) // 2:len(t) // 2 + 2400] = 0
    return wave.astype(np.float32)


class Reference:
    def __init__(self, folder, layers, dtype):
        _, modules = parts(layers)
        tensors = load_file(folder / "model.safetensors")
        for prefix, module in modules.items():
            own = {name[len(prefix):]: value for name, value in tensors.items() if name.startswith(prefix)}
            missing = module.load_state_dict(own, strict=False).missing_keys
            assert all(any(word in name for word in DERIVED) for name in missing), missing
        self.tower = modules["model.audio_tower."].to(dtype).eval()
        self.embedder = modules["model.embed_audio."].to(dtype).eval()
        self.extractor, self.dtype = Gemma3nAudioFeatureExtractor(), dtype

    @torch.no_grad()
    def __call__(self, wave):
        batch = self.extractor(wave, return_tensors="pt")
        mel, mask = batch["input_features"], batch["input_features_mask"].bool()
        output = self.tower(mel.to(self.dtype), ~mask, return_dict=True).last_hidden_state
        return {"audio.mel": mel[0], "audio.output": output, "audio.projected": self.embedder(inputs_embeds=output)}


def narrator(a, *arguments):
    command = [a.binary, *map(str, arguments), "--json", "--threads", str(a.threads)]
    done = subprocess.run(command, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def seconds_of(runs, work):
    work()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--skip-times", action="store_true")
    parser.add_argument("--binary", default=os.path.join(ROOT, ".build", "release", "narrator"))
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    if not (a.work / "config.json").exists():
        make(a.work, a.layers)
    wave, goldens, file = sound(a.seconds), a.work / "golden.safetensors", a.work / "q8.gguf"
    if not goldens.exists():
        gold = Reference(a.work, a.layers, torch.float32)(wave)
        save_file({"audio.waveform": torch.from_numpy(wave)} | {k: v.contiguous() for k, v in gold.items()}, goldens)
    if not file.exists():
        subprocess.run([a.binary, "models", "quantize", a.work, "--to", "q8", "-o", file, "--quiet"], check=True)
    for name, model in (("float32", a.work), ("q8", file)):
        for result in narrator(a, "models", "verify", model, goldens)["results"]:
            print(f"{name:8} {result['name']:16} largest difference {result['max_abs_error']:.2e}")
    if a.skip_times:
        return
    short = ["--prefill", 16, "--decode", 2, "--quiet"]
    for name, options in (("q8", ["--model", file]), ("float32", ["--model", a.work, "--weights", "f32"])):
        figures = narrator(a, "bench", *options, *short)
        print(f"narrator {name:8} 10 s as a whole {figures['audio_encoder_10s_s']:.2f} s, as it arrives "
              f"{figures['audio_encoder_s_per_s']:.3f} s per second, state {figures['audio_state_bytes']} bytes")
    ten = sound(10)
    for name, dtype in (("bfloat16", torch.bfloat16), ("float32", torch.float32)):
        reference = Reference(a.work, a.layers, dtype)
        print(f"torch    {name:8} 10 s as a whole {seconds_of(a.runs, lambda: reference(ten)):.2f} s")
        del reference


if __name__ == "__main__":
    main()
