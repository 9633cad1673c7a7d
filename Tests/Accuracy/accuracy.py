#!/usr/bin/env python3
"""Word error rates of the built program, against the bounds that must hold.

    accuracy.py [--model M] [--stream] [--binary PATH] [--worst N]     one run, its figures
    accuracy.py                                                         all runs that are bounded, exit 1 beyond a bound

Reads ../shared/data/speech and ../shared/tools/wer.py beside the project. Standard library only. No bound is on time.
"""
import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SHARED = os.path.join(os.path.dirname(ROOT), "shared")
SPEECH = os.path.join(SHARED, "data", "speech")
WER = os.path.join(SHARED, "tools", "wer.py")

# model, live path, precision, most WER in % on the original English clips
RUNS = [
    ("whisper-tiny.en", False, "int8", 6.2),
    ("whisper-tiny.en", False, "float32", 6.2),
    ("whisper-tiny.en", True, "int8", 7.2),
    ("whisper-base", False, "int8", 6.0),
]
STREAM_LOSS = 1.0  # most points that the live path may lose against the offline one
INT8_LOSS = 0.3  # most points that int8 may cost


def manifest():
    with open(os.path.join(SPEECH, "manifest.tsv"), encoding="utf-8") as f:
        return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))


def transcribe(binary, model, stream, precision, names, extra=()):
    command = [binary, "transcribe", "--format", "json", "--model", model, "--precision", precision, *extra]
    command += ["--stream"] if stream else []
    done = subprocess.run(command + [os.path.join(SPEECH, n) for n in names], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"narrator transcribe failed with {done.returncode}: {done.stderr}")
    return {os.path.basename(r["file"]): r for r in map(json.loads, done.stdout.splitlines())}


def wer(rows, results, worst):
    with tempfile.TemporaryDirectory() as folder:
        reference, hypothesis, out = (os.path.join(folder, n) for n in ("ref.tsv", "hyp.tsv", "out.json"))
        with open(reference, "w", encoding="utf-8") as f:
            f.write("file\ttranscript\treliability\n")
            f.writelines(f"{r['file']}\t{r['transcript']}\t{r['reliability']}\n" for r in rows)
        with open(hypothesis, "w", encoding="utf-8") as f:
            f.write("file\ttext\n")
            f.writelines(f"{n}\t{r['text']}\n" for n, r in results.items())
        done = subprocess.run([sys.executable, WER, reference, hypothesis, "--json", out, "--worst", str(worst)],
                              capture_output=True, text=True, check=True)
        if worst:
            print(done.stdout[done.stdout.index("worst:"):])
        with open(out, encoding="utf-8") as f:
            return json.load(f)["wer"]


def measure(binary, model, stream, precision, worst=0, extra=()):
    rows = manifest()
    results = transcribe(binary, model, stream, precision, [r["file"] for r in rows], extra)
    english = [r for r in rows if r["language"] == "en"]
    originals = [r for r in english if "derived:" not in r["condition"]]
    silent = [r["file"] for r in rows if r["language"] == "zxx"]
    figures = {
        "originals": wer(originals, results, worst),
        "all": wer(english, results, 0),
        "invented": {n: results[n]["text"] for n in silent if results[n]["text"]},
        "audio_s": sum(r["audio_s"] for r in results.values()),
        "compute_s": sum(r["compute_s"] for r in results.values()),
        "retractions": sum(r.get("retractions", 0) for r in results.values()),
        "languages": {r["file"]: results[r["file"]]["language"] for r in rows if r["language"] not in ("en", "zxx")},
        "expected": {r["file"]: r["language"] for r in rows if r["language"] not in ("en", "zxx")},
        "results": results,
    }
    print(f"{model} {precision}{' --stream' if stream else ''}: WER {figures['originals']:.2f} % on originals, "
          f"{figures['all']:.2f} % on all English clips; {len(figures['invented'])} of {len(silent)} clips without "
          f"speech got words; {figures['compute_s']:.1f} s for {figures['audio_s']:.0f} s", flush=True)
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model")
    parser.add_argument("--stream", action="store_true")
    parser.add_argument("--precision", default="int8")
    parser.add_argument("--binary", default=os.path.join(ROOT, ".build", "release", "narrator"))
    parser.add_argument("--worst", type=int, default=0)
    parser.add_argument("extra", nargs="*")
    a = parser.parse_args()
    if a.model:
        figures = measure(a.binary, a.model, a.stream, a.precision, a.worst, a.extra)
        print(json.dumps({k: v for k, v in figures.items() if k != "results"}, indent=1, ensure_ascii=False))
        return 0
    failed, passed, by_run = [], 0, {}

    def check(name, holds):
        nonlocal passed
        passed += bool(holds)
        if not holds:
            failed.append(name)
            print(f"FAILED: {name}", flush=True)

    for model, stream, precision, bound in RUNS:
        name = f"{model} {precision}{' --stream' if stream else ''}"
        figures = by_run[model, stream, precision] = measure(a.binary, model, stream, precision)
        check(f"{name}: WER {figures['originals']:.2f} % is at most {bound} %", figures["originals"] <= bound)
        check(f"{name}: no words without speech, got {figures['invented']}", not figures["invented"])
        check(f"{name}: nothing retracted", figures["retractions"] == 0)
        if model == "whisper-base":
            check(f"{name}: languages {figures['languages']}", figures["languages"] == figures["expected"])
    offline = by_run["whisper-tiny.en", False, "int8"]["originals"]
    live = by_run["whisper-tiny.en", True, "int8"]["originals"]
    exact = by_run["whisper-tiny.en", False, "float32"]["originals"]
    check(f"the live path loses {live - offline:.2f} points, at most {STREAM_LOSS}", live - offline <= STREAM_LOSS)
    check(f"int8 costs {offline - exact:.2f} points, at most {INT8_LOSS}", offline - exact <= INT8_LOSS)
    print(f"accuracy: {passed} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
