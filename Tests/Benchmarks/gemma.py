#!/usr/bin/env python3
"""A quantised Gemma 3n through narrator and llama.cpp, in turn, at the same depths and threads.

    gemma.py --model gemma-q4.gguf [--threads 2 1] [--depths 512 1024] [--decode 128] [--runs 3]
             [--llama-bench PATH_TO_llama-bench --llama-model gemma-Q4_0.gguf]

Each row is a prompt of so many tokens and the decoding of --decode tokens behind it, as `narrator bench` and `llama-bench`
time them themselves, loading excluded. The medians are printed, and the most memory that any run of a program held. Absolute
figures drift with the machine; compare those of one call.
"""
import argparse
import json
import os
import statistics
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def narrator(a, threads, depth):
    """Tokens a second of prompt and decoding, and peak memory in bytes."""
    command = [a.binary, "bench", "--json", "--quiet", "--model", a.model, "--threads", threads, "--prefill", depth]
    done = subprocess.run([str(word) for word in command + ["--decode", a.decode]], stdout=subprocess.PIPE, check=True)
    figures = json.loads(done.stdout)
    return figures["prefill_tokens_per_s"], figures["decode_tokens_per_s"], figures["peak_rss_bytes"]


def llama(a, threads, depth):
    def rate(*options):
        command = [a.llama_bench, "-m", a.llama_model, "-t", threads, "-r", 1, "-o", "json", *options]
        process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        text = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        if status != 0:
            raise SystemExit(f"{a.llama_bench} ended with status {status}")
        return json.loads(text)[0]["avg_ts"], usage.ru_maxrss * 1024

    prefill, first = rate("-p", depth, "-n", 0)
    decode, second = rate("-p", 0, "-n", a.decode, "-d", depth)
    return prefill, decode, max(first, second)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--threads", type=int, nargs="+", default=[2, 1])
    parser.add_argument("--depths", type=int, nargs="+", default=[512, 1024])
    parser.add_argument("--decode", type=int, default=128)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--binary", default=os.path.join(ROOT, ".build", "release", "narrator"))
    parser.add_argument("--llama-bench")
    parser.add_argument("--llama-model")
    a = parser.parse_args()
    if bool(a.llama_bench) != bool(a.llama_model):
        parser.error("--llama-bench and --llama-model go together")
    programs = {"narrator": narrator} | ({"llama.cpp": llama} if a.llama_bench else {})
    print("threads  depth  program    prefill tokens/s  decode tokens/s  peak MB")
    for threads in a.threads:
        for depth in a.depths:
            runs = {name: [] for name in programs}
            for _ in range(a.runs):
                for name, run in programs.items():
                    runs[name].append(run(a, threads, depth))
            medians = {}
            for name, found in runs.items():
                prefill, decode, _ = (statistics.median(column) for column in zip(*found))
                peak = max(memory for _, _, memory in found)
                medians[name] = prefill, decode
                print(f"{threads:7}  {depth:5}  {name:9}  {prefill:16.1f}  {decode:15.1f}  {peak / 1e6:7.0f}", flush=True)
            if len(medians) == 2:
                times = [ours / theirs for ours, theirs in zip(*medians.values())]
                print(f"{threads:7}  {depth:5}  ratio      {times[0]:16.2f}  {times[1]:15.2f}", flush=True)


if __name__ == "__main__":
    main()
