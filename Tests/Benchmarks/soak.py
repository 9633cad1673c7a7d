#!/usr/bin/env python3
"""Has the daemon listen for a long time and says whether its memory stays flat and its lag does not grow.

    Tests/Benchmarks/soak.py [--minutes 60] [--narrator .build/release/narrator] [--report FILE]

Plays samples/two_cities.flac in a loop at the pace of a microphone to a subscriber, and asks for `status` every minute.
Each line: minute, resident memory, lag of the graph, worst lag of a partial and worst latency of a final in that minute, finals.
It ends with a verdict: memory between minute 10 (or a third of a shorter run) and the end grew by less than 5 %, lags are
no larger in the last third than in the first (half a second is allowed), every utterance has one final, numbers only rise.
"""
import argparse, json, os, signal, socket, statistics, subprocess, sys, tempfile, threading, time

PIPELINE = """
name: soak
stages:
  recording:  {{ kind: audio_file, path: "{path}", pace: realtime, loop: true }}
  speech:     {{ kind: resample, from: recording }}
  utterances: {{ kind: endpoint, from: speech }}
  transcript: {{ kind: transcribe, from: utterances, model: {model} }}
  events:     {{ kind: events, from: transcript }}
"""


class Client:
    """One connection to the daemon."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(path)
        self.lines = self.socket.makefile("rb")
        self.hello = json.loads(self.lines.readline())

    def ask(self, **request):
        self.socket.sendall(json.dumps({"id": 1, **request}).encode() + b"\n")
        while True:
            message = json.loads(self.lines.readline())
            if "ok" in message:
                assert message["ok"], message
                return message["result"]


class Listener(threading.Thread):
    """Reads every event and keeps what the verdict is about."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.client = Client(path)
        self.client.ask(cmd="subscribe")
        self.lag, self.latency, self.finals, self.gaps, self.faults = 0, 0, 0, 0, []
        self.open, self.newest, self.lock = set(), 0, threading.Lock()

    def run(self):
        for line in self.client.lines:
            event = json.loads(line)
            with self.lock:
                self.take(event)

    def take(self, event):
        kind = event["event"]
        if kind == "gap":
            self.gaps += event["count"]
        if "seq" in event:
            if event["seq"] <= self.newest:
                self.faults.append(f"{event['seq']} after {self.newest}")
            self.newest = event["seq"]
        if kind == "speech.started":
            self.open.add(event["utt"])
        elif kind == "transcript.partial":
            self.lag = max(self.lag, event["lag_ms"])
        elif kind in ("transcript.final", "transcript.discarded"):
            if event["utt"] not in self.open:
                self.faults.append(f"a second end of utterance {event['utt']}")
            self.open.discard(event["utt"])
            self.finals += kind == "transcript.final"
            self.latency = max(self.latency, event.get("latency_ms", 0))

    def minute(self):
        with self.lock:
            taken = (self.lag, self.latency, self.finals)
            self.lag, self.latency, self.finals = 0, 0, 0
            return taken


def main():
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--narrator", default=f"{root}/.build/release/narrator")
    parser.add_argument("--model", default="whisper-tiny.en")
    parser.add_argument("--report", help="a file that gets the figures as JSON")
    options = parser.parse_args()

    folder = tempfile.mkdtemp(prefix="narrator-soak-")
    pipeline, path = f"{folder}/soak.yaml", f"{folder}/n.sock"
    with open(pipeline, "w") as file:
        file.write(PIPELINE.format(path=f"{root}/samples/two_cities.flac", model=options.model))
    daemon = subprocess.Popen([options.narrator, "run", pipeline, "--wait-clients", "1", "--socket", path])
    while not os.path.exists(path):
        if daemon.poll() is not None:
            sys.exit(f"the daemon ended with {daemon.returncode}")
        time.sleep(0.1)
    listener = Listener(path)
    listener.start()
    asker = Client(path)

    rows, start = [], time.monotonic()
    print("minute   RSS MB   lag ms   partial lag ms   final latency ms   finals", flush=True)
    for minute in range(1, options.minutes + 1):
        time.sleep(max(0, start + 60 * minute - time.monotonic()))
        if daemon.poll() is not None:
            sys.exit(f"the daemon ended with {daemon.returncode}")
        status = asker.ask(cmd="status")
        lag, latency, finals = listener.minute()
        row = dict(minute=minute, rss=status["rss_bytes"], lag=status.get("lag_ms", 0), partial=lag, latency=latency,
                   finals=finals)
        rows.append(row)
        print(f"{minute:6} {row['rss'] / 1e6:8.1f} {row['lag']:8} {lag:16} {latency:18} {finals:8}", flush=True)

    dropped = sum(link["dropped"] for link in asker.ask(cmd="stats")["links"])
    daemon.send_signal(signal.SIGTERM)
    began = time.monotonic()
    code = daemon.wait(timeout=10)
    stopped = time.monotonic() - began
    listener.join(timeout=5)

    third = max(1, len(rows) // 3)
    settled = rows[min(10, third):] or rows
    growth = settled[-1]["rss"] / settled[0]["rss"] - 1
    first, last = rows[:third], rows[-third:]
    growths = {key: statistics.median(r[key] for r in last) - statistics.median(r[key] for r in first)
               for key in ("partial", "latency", "lag")}
    checks = {
        f"memory grew by {growth:+.1%} after it had settled": growth < 0.05,
        f"partial lag {growths['partial']:+.0f} ms, final latency {growths['latency']:+.0f} ms, "
        f"graph {growths['lag']:+.0f} ms, last third against first": all(g < 500 for g in growths.values()),
        f"{dropped} packets dropped, {listener.gaps} events lost": dropped == listener.gaps == 0,
        f"{len(listener.open)} utterances without an end, faults: {listener.faults[:3]}":
            not listener.open and not listener.faults,
        f"SIGTERM: ended with {code} after {stopped:.2f} s, socket {'stays' if os.path.exists(path) else 'gone'}":
            code == 0 and stopped < 2 and not os.path.exists(path),
    }
    for what, holds in checks.items():
        print("ok  " if holds else "FAIL", what)
    if options.report:
        with open(options.report, "w") as file:
            json.dump({"rows": rows, "checks": {k: bool(v) for k, v in checks.items()}}, file, indent=1)
    sys.exit(0 if all(checks.values()) else 1)


if __name__ == "__main__":
    main()
