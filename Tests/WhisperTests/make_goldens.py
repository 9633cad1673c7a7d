#!/usr/bin/env python3
"""Greedy tokens of CTranslate2 in float32, for GreedyTokenTests.

    make_goldens.py MODEL_FOLDER SPEECH_FOLDER OUT.json

Needs: pip install ctranslate2==4.8.5 faster-whisper==1.2.1 soundfile. Each 16 kHz clip under 30 s is one window,
zero-padded to 480,000 samples; no timestamps, no temperature. Tokens stop before the first step at which the two best
logits are closer than 1e-3: beyond it rounding decides.
"""
import json
import os
import sys

import ctranslate2
import numpy as np
import soundfile
from faster_whisper.feature_extractor import FeatureExtractor

model_folder, speech, out = sys.argv[1:4]
model = ctranslate2.models.Whisper(model_folder, device="cpu", compute_type="float32", inter_threads=1, intra_threads=2)
vocabulary = [line.rstrip("\n") for line in open(f"{model_folder}/vocabulary.txt", encoding="utf-8")]
id_of = {token: index for index, token in enumerate(vocabulary)}
sot, no_timestamps = id_of["<|startoftranscript|>"], id_of["<|notimestamps|>"]
multilingual = len(vocabulary) >= 51865
prompt = [sot] + ([id_of["<|en|>"], id_of["<|transcribe|>"]] if multilingual else []) + [no_timestamps]
mel = FeatureExtractor()
clips = {}
for name in sorted(os.listdir(speech)):
    if not name.endswith((".wav", ".flac")):
        continue
    info = soundfile.info(f"{speech}/{name}")
    if info.samplerate != 16000 or info.channels != 1 or info.frames >= 480000:
        continue
    samples, _ = soundfile.read(f"{speech}/{name}", dtype="float32")
    padded = np.zeros(480000, np.float32)
    padded[: len(samples)] = samples
    features = mel(padded, padding=False)[:, :3000]
    result = model.generate(
        ctranslate2.StorageView.from_array(features[None].astype(np.float32)), [prompt], beam_size=1,
        max_length=len(prompt) + 224, return_logits_vocab=True)[0]
    tokens = []
    for token, logits in zip(result.sequences_ids[0], result.logits[0]):
        best = np.sort(np.array(logits, np.float32))[-2:]
        if best[1] - best[0] < 1e-3:
            break
        tokens.append(token)
    clips[name] = tokens
rows = ",\n".join(f'  "{name}": {json.dumps(tokens, separators=(",", ":"))}' for name, tokens in clips.items())
with open(out, "w") as file:
    file.write(f'{{\n{rows}\n}}\n')
print(len(clips), "clips,", sum(map(len, clips.values())), "tokens")
