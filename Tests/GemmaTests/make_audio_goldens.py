#!/usr/bin/env python3
"""Makes Golden/sound.*: a tiny audio encoder of Gemma 3n whose weights are a hash, run by transformers in float32.

  make_audio_goldens.py      writes Golden/sound.safetensors and Golden/sound.json beside this script

Needs what make_goldens.py needs. HashModel.swift and HashSound.swift make the same weights and sound in Swift.
"""
import json

import numpy as np
import torch
from make_goldens import GOLDEN, hash_values, sample, spread
from safetensors.torch import save_file
from transformers import Gemma3nAudioConfig, Gemma3nAudioFeatureExtractor, Gemma3nTextConfig
from transformers.models.gemma3n.modeling_gemma3n import Gemma3nAudioEncoder, Gemma3nMultimodalEmbedder

TEXT_WIDTH = 96
AUDIO = dict(
    model_type="gemma3n_audio", hidden_size=64, input_feat_size=128, conf_num_hidden_layers=3,
    conf_num_attention_heads=4, conf_attention_chunk_size=12, conf_attention_context_left=13,
    conf_attention_context_right=0, conf_attention_logit_cap=5.0, conf_conv_kernel_size=5, conf_reduction_factor=4,
    conf_residual_weight=0.5, gradient_clipping=1e10, sscp_conv_channel_size=[8, 4],
    sscp_conv_kernel_size=[[3, 3], [3, 3]], sscp_conv_stride_size=[[2, 2], [2, 2]], sscp_conv_group_norm_eps=1e-3,
    rms_norm_eps=1e-6, vocab_size=16, vocab_offset=112)
SAMPLES, CUT = 40_000, 11_000  # frames of attention's window and more; a last token without its look-ahead


def fill(module: torch.nn.Module, prefix: str) -> None:
    for name, value in module.state_dict().items():
        if "inv_timescales" in name or "post_projection_norm" in name or "softcap" in name:
            continue  # derived, not stored
        mean, amplitude = spread(name, value.shape, AUDIO["hidden_size"])
        value.copy_(torch.from_numpy(hash_values(prefix + name, value.numel(), mean, amplitude)).view(value.shape))


def sound() -> np.ndarray:
    """Noise with a silence in it."""
    wave = hash_values("sound", SAMPLES, 0.0, 0.3)
    wave[15_000:19_000] = 0
    return wave


@torch.no_grad()
def main() -> None:
    torch.set_num_threads(1)
    config = Gemma3nAudioConfig(**AUDIO)
    tower = Gemma3nAudioEncoder(config).eval()
    embedder = Gemma3nMultimodalEmbedder(config, Gemma3nTextConfig(hidden_size=TEXT_WIDTH, num_hidden_layers=2)).eval()
    fill(tower, "model.audio_tower.")
    fill(embedder, "model.embed_audio.")
    extractor, gold = Gemma3nAudioFeatureExtractor(), {}
    for key, count in (("whole", SAMPLES), ("cut", CUT)):
        batch = extractor(sound()[:count], return_tensors="pt")
        mel, mask = batch["input_features"], batch["input_features_mask"].bool()
        output = tower(mel, ~mask, return_dict=True).last_hidden_state
        gold[f"{key}.mel"] = sample(mel)
        gold[f"{key}.output"] = output[0]
        gold[f"{key}.tokens"] = embedder(inputs_embeds=output)[0]
    ids = torch.tensor([AUDIO["vocab_offset"], AUDIO["vocab_offset"] + AUDIO["vocab_size"] - 1])
    gold["hard"] = embedder(input_ids=ids[None])[0]
    file = GOLDEN / "sound.safetensors"
    save_file({k: v.contiguous().clone() for k, v in gold.items()}, file)
    (GOLDEN / "sound.json").write_text(json.dumps({"text_width": TEXT_WIDTH, "audio_config": AUDIO}, indent=1) + "\n")
    print(file.name, file.stat().st_size, "bytes", {k: (list(v.shape), float(v.abs().max())) for k, v in gold.items()})
    assert file.stat().st_size < 64 * 1024


if __name__ == "__main__":
    main()
