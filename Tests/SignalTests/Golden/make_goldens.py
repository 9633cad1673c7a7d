"""Writes the goldens of LogMelTests beside this file, by faster-whisper's feature extractor.

python3 make_goldens.py            (needs faster-whisper, numpy)
"""
import math
import pathlib

import numpy as np
from faster_whisper.feature_extractor import FeatureExtractor

HERE = pathlib.Path(__file__).parent


def split_mix_64(seed, count):
    """Uniform in [0, 1) from the top 24 bits of SplitMix64, as LogMelTests draws them."""
    state, out = seed, []
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) % 2**64
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) % 2**64
        out.append(((z ^ (z >> 31)) >> 40) / 2**24)
    return np.array(out, dtype=np.float32)


def signal(count):
    """A gliding tone that swells, over soft noise; float32 steps so that every program makes the same samples."""
    noise = split_mix_64(1, count) * np.float32(2) - np.float32(1)
    n = np.arange(count)
    glide = np.array([math.sin(2 * math.pi * (300 * t + 1200 * t * t)) for t in n / 16000.0])
    swell = np.array([0.5 * math.sin(math.pi * t) ** 2 for t in n / 16000.0])
    return (glide * swell).astype(np.float32) + noise * np.float32(0.003)


if __name__ == "__main__":
    extractor = FeatureExtractor()
    for name, count, frames in [("mel_full", 24_000, 150), ("mel_padded", 10_001, 100)]:
        samples = np.zeros(frames * 160, dtype=np.float32)
        samples[:count] = signal(count)
        features = extractor(samples, padding=0)
        assert features.shape == (80, frames), features.shape
        features.T.astype("<f4").tofile(HERE / f"{name}.f32")
