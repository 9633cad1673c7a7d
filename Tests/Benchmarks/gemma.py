#!/usr/bin/env python3
"""Gemma 3n's text decoder beside llama.cpp's, in turn, on the same shape and threads.

    gemma.py --model OURS.gguf --llama-bench PATH_TO_llama-bench --llama-model THEIRS.gguf
             [--threads 1 2] [--runs 3] [--prefill 512] [--decode 128] [--depths 512 1024]

OURS is a file of `narrator models quantize`, THEIRS a Q4_0 file of llama.cpp of the same dimensions. Where the real
weights are not at hand, random ones do for speed: the numbers of a model do not change how long it takes. Programs run
by turns; medians and the ratio are printed, and the highest peak of resident memory. Absolute times drift with the
machine; compare within one call.
"""
import argparse
import json
import os
import statistics
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def run(command):
    """Output of a program and its peak of resident memory in bytes."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{' '.join(command)}: status {status}")
    return output, usage.ru_maxrss * 1024


def narrator(a, threads, prefill, decode):
    output, peak = run([a.binary, "bench", "--model", a.model, "--json", "--threads", str(threads),
                        "--prefill", str(prefill), "--decode", str(decode)])
    result = json.loads(output)
    return result["prefill_tokens_per_s"], result["decode_tokens_per_s"], peak


def llama(a, threads, prefill, decode, depth):
    output, peak = run([a.llama_bench, "-m", a.llama_model, "-t", str(threads), "-p", str(prefill), "-n", str(decode),
                        "-d", str(depth), "-r", "1", "-o", "json"])
    return json.loads(output)[0]["avg_ts"], peak


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--llama-bench", required=True)
    parser.add_argument("--llama-model", required=True)
    parser.add_argument("--threads", type=int, nargs="+", default=[2, 1])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--prefill", type=int, default=512)
    parser.add_argument("--decode", type=int, default=128)
    parser.add_argument("--depths", type=int, nargs="+", default=[512, 1024])
    parser.add_argument("--binary", default=os.path.join(ROOT, ".build", "release", "narrator"))
    a = parser.parse_args()
    peaks = [0, 0]
    for threads in a.threads:
        rows = {}

        def note(name, ours, theirs):
            rows.setdefault(name, ([], []))
            rows[name][0].append(ours)
            rows[name][1].append(theirs)

        for _ in range(a.runs):
            theirs, peak = llama(a, threads, a.prefill, 0, 0)
            peaks[1] = max(peaks[1], peak)
            for depth in a.depths:
                prefill, decode, peak = narrator(a, threads, depth, a.decode)
                peaks[0] = max(peaks[0], peak)
                if depth == a.prefill:
                    note(f"prefill {a.prefill}", prefill, theirs)
                other, peak = llama(a, threads, 0, a.decode, depth)
                peaks[1] = max(peaks[1], peak)
                note(f"decode {a.decode} behind {depth}", decode, other)
        for name, (ours, theirs) in rows.items():
            ours, theirs = statistics.median(ours), statistics.median(theirs)
            print(f"{threads} threads, {name:24} narrator {ours:6.1f} tokens/s, llama.cpp {theirs:6.1f}, "
                  f"{ours / theirs:.2f} times", flush=True)
    print(f"peak resident memory: narrator {peaks[0] / 1e9:.2f} GB, llama.cpp {peaks[1] / 1e9:.2f} GB")


if __name__ == "__main__":
    main()
