"""Writes the goldens of SileroVADTests beside this file: probabilities of the published graph under onnxruntime.

The package silero-vad 6.2.3 ships other weights in silero_vad_16k.safetensors than in its ONNX files (the same network,
trained on). We run the safetensors; so the graph gets its weights here before it is run.

python3 make_goldens.py silero_vad_16k_op15.onnx silero_vad_16k.safetensors SPEECH_DIR [OUT]

Needs numpy, onnx, onnxruntime, safetensors, soundfile. With OUT: writes OUT/NAME.pcm.f32 and OUT/NAME.p.f32 for every
clip instead, for a comparison over all of them.
"""
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime
import safetensors.numpy
import soundfile

HERE = pathlib.Path(__file__).parent
NAMES = {
    "model.stft.forward_basis_buffer": "stft_conv.weight",
    **{f"model.encoder.{i}.reparam_conv.{p}": f"conv{i + 1}.{p}" for i in range(4) for p in ("weight", "bias")},
    **{f"model.decoder.rnn.{p}": f"lstm_cell.{p}" for p in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")},
    **{f"model.decoder.decoder.2.{p}": f"final_conv.{p}" for p in ("weight", "bias")},
}
CLIPS = ["jfk.wav", "ls_1998-15444-0003_n10.wav", "ls_2033-164914-0006_pause.wav"]


def with_weights(graph_file, weights_file):
    """The graph as a session, its weights replaced by those of the safetensors file."""
    model, weights = onnx.load(graph_file), safetensors.numpy.load_file(weights_file)
    replaced = 0
    for tensor in model.graph.initializer:
        if tensor.name in NAMES:
            values = weights[NAMES[tensor.name]]
            assert list(tensor.dims) == list(values.shape), tensor.name
            tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
            replaced += 1
    assert replaced == len(NAMES) == len(weights)
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def probabilities(session, samples):
    """One per 512 samples, the last chunk zero-padded; each call sees 64 samples of context."""
    samples = np.pad(samples, (64, -len(samples) % 512)).astype(np.float32)
    state, out = np.zeros((2, 1, 128), dtype=np.float32), []
    for start in range(0, len(samples) - 64, 512):
        feed = {"input": samples[None, start : start + 576], "state": state, "sr": np.array(16_000)}
        p, state = session.run(None, feed)
        out.append(p[0, 0])
    return np.array(out, dtype="<f4")


def synthetic():
    """Bursts of buzz between noise: integers and sums of exact float32 values, the same in every program."""
    state, out = 7, np.zeros(48_000, dtype=np.float32)
    for n in range(len(out)):
        state = (state * 1_664_525 + 1_013_904_223) % 2**32
        noise = ((state >> 16) - 32_768) / 2**20
        buzz = ((n % 131) / 256 - 0.25) * (n % 40) / 64 if n // 6_000 % 2 else 0.0
        out[n] = noise + buzz
    return out


if __name__ == "__main__":
    session = with_weights(sys.argv[1], sys.argv[2])
    speech = pathlib.Path(sys.argv[3])
    if len(sys.argv) > 4:
        out = pathlib.Path(sys.argv[4])
        out.mkdir(parents=True, exist_ok=True)
        for clip in sorted([*speech.glob("*.wav"), *speech.glob("*.flac")]):
            samples, rate = soundfile.read(clip, dtype="float32")
            if rate == 8_000:
                samples = np.repeat(samples, 2)
            samples.astype("<f4").tofile(out / f"{clip.stem}.pcm.f32")
            probabilities(session, samples).tofile(out / f"{clip.stem}.p.f32")
    else:
        probabilities(session, synthetic()).tofile(HERE / "synthetic.f32")
        for clip in CLIPS:
            samples, rate = soundfile.read(speech / clip, dtype="float32")
            assert rate == 16_000
            probabilities(session, samples).tofile(HERE / f"{pathlib.Path(clip).stem}.f32")
