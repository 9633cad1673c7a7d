#!/usr/bin/env python3
"""How long an event takes to many subscribers of a daemon, while one of them never reads.

    Tests/Benchmarks/fanout.py [--subscribers 100] [--seconds 60] [--narrator .build/release/narrator]

The daemon hears samples/two_cities.flac at the pace of a microphone. One more subscriber than asked for never reads; two
processes read for the others. The time of an event is from its `ts` (whole milliseconds) to its arrival in the reader.
It ends with p50, p99 and the greatest time of all events, whether any reader lost one, and the daemon's memory.
"""
import argparse, json, multiprocessing, os, selectors, signal, socket, subprocess, sys, tempfile, time
from datetime import datetime

PIPELINE = """
name: fanout
stages:
  recording:  {{ kind: audio_file, path: "{path}", pace: realtime, loop: true }}
  speech:     {{ kind: resample, from: recording }}
  utterances: {{ kind: endpoint, from: speech }}
  transcript: {{ kind: transcribe, from: utterances, model: {model}, partial_ms: 200 }}
  events:     {{ kind: events, from: transcript }}
"""
SUBSCRIBE = b'{"id":1,"cmd":"subscribe"}\n'


def connect(path):
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.connect(path)
    client.sendall(SUBSCRIBE)
    return client


def read(path, count, results):
    """Reads for `count` subscribers until the daemon ends; gives the times and what each got."""
    selector, pieces, got = selectors.DefaultSelector(), {}, {}
    for _ in range(count):
        client = connect(path)
        selector.register(client, selectors.EVENT_READ)
        pieces[client], got[client] = b"", []
    raw = []
    while selector.get_map():
        for key, _ in selector.select():
            data = key.fileobj.recv(1 << 16)
            raw.append((time.time(), key.fileobj, data))
            if not data:
                selector.unregister(key.fileobj)
    # What was read is looked at afterwards: parsing would be part of the time.
    times, gaps = [], 0
    for at, client, data in raw:
        *lines, pieces[client] = (pieces[client] + data).split(b"\n")
        for line in lines:
            event = json.loads(line)
            gaps += event.get("event") == "gap"
            if "seq" in event and "ts" in event:
                got[client].append(event["seq"])
                times.append(at - datetime.fromisoformat(event["ts"]).timestamp())
    results.put((times, gaps, list(got.values())))


def main():
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subscribers", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--narrator", default=f"{root}/.build/release/narrator")
    parser.add_argument("--model", default="whisper-tiny.en")
    options = parser.parse_args()

    folder = tempfile.mkdtemp(prefix="narrator-fanout-")
    pipeline, path = f"{folder}/fanout.yaml", f"{folder}/n.sock"
    with open(pipeline, "w") as file:
        file.write(PIPELINE.format(path=f"{root}/samples/two_cities.flac", model=options.model))
    wait = str(options.subscribers + 1)
    daemon = subprocess.Popen([options.narrator, "run", pipeline, "--wait-clients", wait, "--socket", path, "--quiet"])
    while not os.path.exists(path):
        if daemon.poll() is not None:
            sys.exit(f"the daemon ended with {daemon.returncode}")
        time.sleep(0.1)
    stalled = connect(path)
    results = multiprocessing.Queue()
    shares = [options.subscribers // 2, options.subscribers - options.subscribers // 2]
    readers = [multiprocessing.Process(target=read, args=(path, share, results)) for share in shares]
    for reader in readers:
        reader.start()

    asker = connect(path).makefile("rwb")
    for _ in range(2):  # its hello and its reply
        asker.readline()

    def resident():
        asker.write(b'{"id":2,"cmd":"stats"}\n')
        asker.flush()
        while "ok" not in (message := json.loads(asker.readline())):
            pass
        return message["result"]["rss_bytes"] / 1e6

    time.sleep(5)
    before = resident()
    time.sleep(options.seconds)
    after = resident()
    daemon.send_signal(signal.SIGTERM)
    code = daemon.wait(timeout=10)
    times, gaps, got = [], 0, []
    for _ in readers:
        part = results.get()
        times, gaps, got = times + part[0], gaps + part[1], got + part[2]
    stalled.close()

    times.sort()
    same = all(numbers == got[0] == list(range(got[0][0], got[0][-1] + 1)) for numbers in got)
    p50, p99 = (times[int(len(times) * q)] * 1000 for q in (0.5, 0.99))
    print(f"{options.subscribers} subscribers and one that never reads, {len(got[0])} events each, daemon ended with {code}")
    print(f"from event to reader: p50 {p50:.1f} ms, p99 {p99:.1f} ms, most {times[-1] * 1000:.1f} ms")
    print(f"every reader got every event: {same}; gaps: {gaps}; memory {before:.0f} MB, at the end {after:.0f} MB")
    sys.exit(0 if same and not gaps and p99 <= 10 else 1)


if __name__ == "__main__":
    main()
