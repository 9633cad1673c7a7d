#!/usr/bin/env python3
"""One recording through narrator, faster-whisper and whisper.cpp, in turn, on the same weights and threads.

    peers.py [--runs N] [--threads N] [--model whisper-tiny.en] [--file samples/two_cities.flac]
             [--whisper-cpp PATH_TO_whisper-cli]

Needs: pip install faster-whisper==1.2.1 (and numpy); whisper.cpp is left out without its program. All are greedy; VAD is
as each has it by default (narrator on, faster-whisper and whisper.cpp off). Each run is a whole file, model loading
excluded, as each program measures it itself. Absolute times drift with the machine; compare the medians of one call.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def store():
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.environ.get("NARRATOR_MODELS") or os.path.join(cache, "narrator", "models")


def narrator(a):
    command = [a.binary, "transcribe", "--format", "json", "--model", a.model, "--threads", str(a.threads), a.file]

    def run():
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)["compute_s"]

    return run


def faster_whisper(a):
    from faster_whisper import WhisperModel

    model = WhisperModel(os.path.join(store(), a.model), device="cpu", compute_type="int8", cpu_threads=a.threads)

    def run():
        start = time.monotonic()
        segments, _ = model.transcribe(a.file, beam_size=1, language="en")
        " ".join(s.text for s in segments)
        return time.monotonic() - start

    return run


def whisper_cpp(a, folder):
    weights, sound = os.path.join(folder, "model.bin"), os.path.join(folder, "sound.wav")
    convert = os.path.join(os.path.dirname(os.path.abspath(__file__)), "ct2_to_ggml.py")
    subprocess.run([sys.executable, convert, os.path.join(store(), a.model), weights], check=True)
    subprocess.run(["ffmpeg", "-loglevel", "error", "-y", "-i", a.file, "-ar", "16000", "-ac", "1", sound], check=True)
    command = [a.whisper_cpp, "-m", weights, "-f", sound, "-t", str(a.threads), "-bs", "1", "-bo", "1"]

    def run():
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        times = dict(re.findall(r"(load|total) time =\s*([\d.]+) ms", done.stderr))
        return (float(times["total"]) - float(times["load"])) / 1000

    return run


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--model", default="whisper-tiny.en")
    parser.add_argument("--file", default=os.path.join(ROOT, "samples", "two_cities.flac"))
    parser.add_argument("--binary", default=os.path.join(ROOT, ".build", "release", "narrator"))
    parser.add_argument("--whisper-cpp")
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        programs = {"narrator": narrator(a), "faster-whisper int8": faster_whisper(a)}
        if a.whisper_cpp:
            programs["whisper.cpp"] = whisper_cpp(a, folder)
        times = {name: [] for name in programs}
        for run in programs.values():
            run()  # warm
        for _ in range(a.runs):
            for name, run in programs.items():
                times[name].append(run())
    for name, values in times.items():
        print(f"{name:20} median {statistics.median(values):.3f} s  ({min(values):.3f} to {max(values):.3f})")


if __name__ == "__main__":
    main()
