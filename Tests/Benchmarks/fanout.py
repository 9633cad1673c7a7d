#!/usr/bin/env python3
"""How long an event takes to many subscribers of a daemon, while one of them never reads.

    Tests/Benchmarks/fanout.py [--subscribers 100] [--seconds 60] [--pace fast] [--narrator .build/release/narrator]

The daemon hears samples/two_cities.flac at the pace of a microphone (or as fast as it can, for a flood of events). One more subscriber than asked for never reads;
fanout_reader.c reads for the others. The time of an event is from its `ts` (whole milliseconds, so up to 1 ms too long)
to its arrival in the reader. It ends with p50, p99 and the greatest time of all events, whether any reader lost one,
what became of the one that never reads, and the daemon's memory.
"""
import argparse, json, os, signal, socket, struct, subprocess, sys, tempfile, time
from collections import defaultdict
from datetime import datetime

PIPELINE = """
name: fanout
stages:
  recording:  {{ kind: audio_file, path: "{path}", pace: {pace}, loop: true }}
  speech:     {{ kind: resample, from: recording }}
  utterances: {{ kind: endpoint, from: speech }}
  transcript: {{ kind: transcribe, from: utterances, model: {model}, partial_ms: 200 }}
  events:     {{ kind: events, from: transcript }}
"""
SUBSCRIBE = b'{"id":1,"cmd":"subscribe"}\n'
STATS = b'{"id":2,"cmd":"stats"}\n'
HEADER = struct.Struct("=qii")  # of a record of fanout_reader.c


def connect(path, request=SUBSCRIBE):
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.connect(path)
    client.sendall(request)
    return client


def fate(client):
    """What a client that never read finds when it does at last."""
    client.settimeout(10)
    messages = [json.loads(line) for line in client.makefile("rb")]
    lost = sum(message["count"] for message in messages if message.get("event") == "gap")
    return f"{len(messages)} messages, then {messages[-1]}" + (f"; a gap told of {lost} events" if lost else "")


def compiled(folder):
    """The reader, which is in C so that it costs next to nothing of what it measures."""
    source, program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fanout_reader.c"), f"{folder}/reader"
    subprocess.run([os.environ.get("CC", "cc"), "-O2", "-o", program, source], check=True)
    return program


def arrivals(records):
    """What a reader wrote, as (time in s, client, bytes)."""
    start = 0
    while start < len(records):
        at, client, count = HEADER.unpack_from(records, start)
        start += HEADER.size + count
        yield at / 1e9, client, records[start - count : start]


def judge(records, subscribers):
    """The time of each event at each subscriber, by event; the gaps there were; the numbers each subscriber got."""
    times, gaps, pieces, got = defaultdict(list), 0, [b""] * subscribers, [[] for _ in range(subscribers)]
    for at, client, data in arrivals(records):
        *lines, pieces[client] = (pieces[client] + data).split(b"\n")
        for event in map(json.loads, lines):
            gaps += event.get("event") == "gap"
            if "seq" in event and "ts" in event:
                got[client].append(event["seq"])
                times[event["seq"]].append((at - datetime.fromisoformat(event["ts"]).timestamp()) * 1000)
    return list(times.values()), gaps, got


def quantiles(times):
    """p50, p99 and the greatest of some times, in words."""
    times = sorted(times)
    p50, p99 = (times[int(len(times) * q)] for q in (0.5, 0.99))
    return f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, most {times[-1]:.1f} ms", p99


def main():
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subscribers", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--narrator", default=f"{root}/.build/release/narrator")
    parser.add_argument("--pace", choices=["realtime", "fast"], default="realtime")
    parser.add_argument("--model", default="whisper-tiny.en")
    options = parser.parse_args()

    folder = tempfile.mkdtemp(prefix="narrator-fanout-")
    program, pipeline, path = compiled(folder), f"{folder}/fanout.yaml", f"{folder}/n.sock"
    with open(pipeline, "w") as file:
        file.write(PIPELINE.format(path=f"{root}/samples/two_cities.flac", pace=options.pace, model=options.model))
    wait = str(options.subscribers + 1)
    daemon = subprocess.Popen([options.narrator, "run", pipeline, "--wait-clients", wait, "--socket", path, "--quiet"])
    while not os.path.exists(path):
        if daemon.poll() is not None:
            sys.exit(f"the daemon ended with {daemon.returncode}")
        time.sleep(0.1)
    stalled = connect(path)
    reader = subprocess.Popen([program, path, str(options.subscribers)], stdout=subprocess.PIPE)

    def resident():
        asker = connect(path, STATS)
        asker.shutdown(socket.SHUT_WR)
        hello, reply = map(json.loads, asker.makefile("rb"))
        return reply["result"]["rss_bytes"] / 1e6

    time.sleep(5)
    before = resident()
    time.sleep(options.seconds)
    after = resident()
    daemon.send_signal(signal.SIGTERM)
    records, _ = reader.communicate()
    code = daemon.wait(timeout=10)

    times, gaps, got = judge(records, options.subscribers)
    same = all(numbers == got[0] == list(range(got[0][0], got[0][-1] + 1)) for numbers in got)
    words, p99 = quantiles(sum(times, []))
    print(f"{options.subscribers} subscribers and one that never reads, {len(got[0])} events each, daemon ended with {code}")
    print(f"from event to reader: {words}")
    print(f"of these to the first reader: {quantiles([min(event) for event in times])[0]}")
    print(f"from the first reader to the last: {quantiles([max(event) - min(event) for event in times])[0]}")
    print(f"every reader got every event: {same}; gaps: {gaps}; memory {before:.0f} MB, at the end {after:.0f} MB")
    print(f"the one that never reads: {fate(stalled)}")
    sys.exit(0 if same and not gaps and p99 <= 10 else 1)


if __name__ == "__main__":
    main()
