#!/usr/bin/env python3
"""Makes the goldens of GemmaTests: tiny Gemma 3n decoders whose weights are a hash, run by transformers in float32.

  make_goldens.py            writes Golden/*.safetensors and Golden/*.json beside this script

Needs torch, transformers, numpy, safetensors. HashModel.swift and HashWeights.swift make the same weights in Swift.
"""
import json
import math
import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import Gemma3nForCausalLM, Gemma3nTextConfig

GOLDEN = Path(__file__).parent / "Golden"
STRIDE = 37  # every 37th value of a large tensor: a prime, so that all columns come by

FULL, SLIDING = "full_attention", "sliding_attention"
COMMON = dict(
    model_type="gemma3n_text", vocab_size=112, vocab_size_per_layer_input=96, hidden_size=64, head_dim=16,
    num_attention_heads=4, num_key_value_heads=2, hidden_size_per_layer_input=8, laurel_rank=8, altup_num_inputs=4,
    altup_active_idx=0, altup_coef_clip=120.0, altup_correct_scale=True, final_logit_softcapping=30.0,
    hidden_activation="gelu_pytorch_tanh", rms_norm_eps=1e-6, attention_bias=False, attention_dropout=0.0,
    max_position_embeddings=512, pad_token_id=0, eos_token_id=1, bos_token_id=2)

# name: (settings, tokens of the prompt, {slice: (kept layers, widths)})
MODELS = {
    # The pattern of the published models: every fifth layer is full, the second half shares keys and values.
    "fives": (dict(
        num_hidden_layers=15, num_kv_shared_layers=5, sliding_window=8, rope_theta=1e6, rope_local_base_freq=1e4,
        intermediate_size=[128] * 5 + [96] * 5 + [160] * 5, activation_sparsity_pattern=[0.95] * 4 + [0.0] * 11,
        layer_types=[FULL if i % 5 == 4 else SLIDING for i in range(15)]), 40,
        {"small": ([0, 1, 2, 3, 4, 8, 9, 10, 14], [96, 128, 64, 96, 128, 96, 64, 96, 160])}),
    # Another pattern: one key head, a scale that is off, sharing after half, other bases, a long prompt.
    "fours": (dict(
        num_hidden_layers=8, num_kv_shared_layers=4, sliding_window=12, rope_theta=5e5, rope_local_base_freq=2e3,
        intermediate_size=96, activation_sparsity_pattern=[0.9, 0.5, 0.95] + [0.0] * 5, num_key_value_heads=1,
        altup_correct_scale=False, final_logit_softcapping=10.0, tie_word_embeddings=True,
        layer_types=[FULL if i % 4 == 3 else SLIDING for i in range(8)]), 300, {}),
}


def hash_values(name: str, count: int, mean: float, amplitude: float) -> np.ndarray:
    """FNV-1a of the name, SplitMix64's finisher of hash + (index + 1) * gamma, 24 bits of it in -1..<1."""
    start = 0xCBF29CE484222325
    for byte in name.encode():
        start = ((start ^ byte) * 0x100000001B3) & (2**64 - 1)
    with np.errstate(over="ignore"):
        z = np.uint64(start) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    unit = (z >> np.uint64(40)).astype(np.float64) / 2.0**23 - 1
    return (mean + unit * amplitude).astype(np.float32)


def spread(name: str, shape, hidden: int):
    """(mean, amplitude) that makes every term of the forward pass matter; the same rules as in HashModel.swift."""
    if name.endswith(("q_norm.weight", "k_norm.weight")):
        return 0.6, 0.2
    if len(shape) == 1:
        return 1.0, 0.3
    if name.endswith(("correction_coefs.weight", "prediction_coefs.weight")):
        return 0.0, 0.2
    if name.endswith("modality_router.weight"):
        return 0.0, 1.5 * math.sqrt(hidden)
    if name.endswith("embed_tokens.weight"):
        return 0.0, 6.0 / math.sqrt(hidden)
    return 0.0, 1.75 / math.sqrt(shape[1])


def build(settings: dict) -> Gemma3nForCausalLM:
    config = Gemma3nTextConfig(**settings)
    config._attn_implementation = "eager"
    model = Gemma3nForCausalLM(config).eval()
    state = model.state_dict()
    for name, value in state.items():
        if name == "lm_head.weight":
            continue
        mean, amplitude = spread(name, value.shape, config.hidden_size)
        value.copy_(torch.from_numpy(hash_values(name, value.numel(), mean, amplitude)).view(value.shape))
    model.lm_head.weight = model.model.embed_tokens.weight
    return model


def sliced(model, settings: dict, keep: list, widths: list) -> Gemma3nForCausalLM:
    """The sub-model as a model of its own, its tensors cut out of the larger one."""
    count, shared = settings["num_hidden_layers"], settings["num_kv_shared_layers"]
    small = dict(settings)
    for key in ("layer_types", "activation_sparsity_pattern"):
        small[key] = [settings[key][i] for i in keep]
    small.update(num_hidden_layers=len(keep), intermediate_size=widths,
                 num_kv_shared_layers=sum(i >= count - shared for i in keep))
    tensors = {}
    for name, value in model.state_dict().items():
        if ".layers." in name:
            old, rest = name.split(".layers.")[1].split(".", 1)
            if int(old) not in keep:
                continue
            new = keep.index(int(old))
            name = f"model.layers.{new}.{rest}"
            if rest in ("mlp.gate_proj.weight", "mlp.up_proj.weight"):
                value = value[:widths[new]]
            elif rest == "mlp.down_proj.weight":
                value = value[:, :widths[new]]
        elif name.endswith("embed_tokens_per_layer.weight"):
            value = value.view(value.shape[0], count, -1)[:, keep].flatten(1)
        elif name.endswith("per_layer_model_projection.weight"):
            value = value.view(count, -1, value.shape[1])[keep].flatten(0, 1)
        tensors[name] = value.clone()
    config = Gemma3nTextConfig(**small)
    config._attn_implementation = "eager"
    nested = Gemma3nForCausalLM(config).eval()
    nested.load_state_dict(tensors, strict=True)
    return nested


def sample(value: torch.Tensor) -> torch.Tensor:
    return value.flatten()[::STRIDE].clone()


def greedy(model, ids: torch.Tensor, count: int) -> torch.Tensor:
    tokens = ids[0].tolist()
    for _ in range(count):
        logits = model(input_ids=torch.tensor([tokens])).logits[0, -1, :96]
        tokens.append(int(logits.argmax()))
        top = logits.topk(2).values
        assert top[0] - top[1] > 0.01, "a near tie: take another seed"
    return torch.tensor(tokens[ids.shape[1]:])


@torch.no_grad()
def make(name: str, settings: dict, count: int, slices: dict) -> None:
    settings = {**COMMON, **settings}
    model = build(settings)
    text = model.model
    ids = torch.from_numpy((hash_values(f"{name}.ids", count, 0.5, 0.5) * 91).astype(np.int64) + 5)[None]
    ids[0, 0] = 2
    taps = []
    hooks = [layer.register_forward_hook(
        lambda _m, _i, out: taps.append((out[0] if isinstance(out, tuple) else out).clone())) for layer in text.layers]
    hidden = text(input_ids=ids).last_hidden_state[0]
    for hook in hooks:
        hook.remove()
    logits = model(input_ids=ids).logits[0]
    table = text.get_per_layer_inputs(ids)
    gold = {
        "ids": ids[0], "tokens": greedy(model, ids, 12),
        "per_layer": sample(text.project_per_layer_inputs(text.embed_tokens(ids), table)[0]),
        "layers": torch.stack([sample(t[:, 0]) for t in taps]) if count < 100 else
        torch.stack([sample(t[:, 0, -16:]) for t in taps]),
        "hidden": sample(hidden), "logits": sample(logits), "last": logits[-1].clone()}
    for key, (keep, widths) in slices.items():
        small = sliced(model, settings, keep, widths)
        gold[f"{key}.last"] = small(input_ids=ids).logits[0, -1].clone()
        gold[f"{key}.logits"] = sample(small(input_ids=ids).logits[0])
    file = GOLDEN / f"{name}.safetensors"
    save_file({k: v.contiguous() for k, v in gold.items()}, file)
    (GOLDEN / f"{name}.json").write_text(json.dumps(settings, indent=1) + "\n")
    print(file.name, file.stat().st_size, "bytes; largest logit", float(logits.abs().max()),
          "largest stream", float(max(t.abs().max() for t in taps)), "tokens", gold["tokens"].tolist())
    assert file.stat().st_size < 64 * 1024


if __name__ == "__main__":
    torch.set_num_threads(1)
    GOLDEN.mkdir(exist_ok=True)
    for model_name, (model_settings, tokens, model_slices) in MODELS.items():
        make(model_name, model_settings, tokens, model_slices)
