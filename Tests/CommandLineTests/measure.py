#!/usr/bin/env python3
"""Runs a program once for each of some files, and tells of each run how it ended and what it took.

    measure.py PROGRAM ARGUMENT... -- FILE...

One JSON object a line: file, status (negative: the signal), errors, peak_kb, seconds. What takes longer than two minutes is
killed. It is no Swift, because a child's peak counts that of the process it was split from.
"""
import json, os, signal, subprocess, sys, tempfile, time

split = sys.argv.index("--")
command, files = sys.argv[1:split], sys.argv[split + 1 :]
for file in files:
    with tempfile.TemporaryFile() as errors:
        begin = time.monotonic()
        child = subprocess.Popen([*command, file], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors)
        signal.signal(signal.SIGALRM, lambda *_: child.kill())
        signal.alarm(120)
        _, status, usage = os.wait4(child.pid, 0)
        signal.alarm(0)
        errors.seek(0)
        result = {"file": file, "status": os.waitstatus_to_exitcode(status), "peak_kb": usage.ru_maxrss}
        result |= {"errors": errors.read().decode(errors="replace"), "seconds": time.monotonic() - begin}
        print(json.dumps(result), flush=True)
