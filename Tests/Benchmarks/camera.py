#!/usr/bin/env python3
"""Share of one core that a camera of 1280x720 MJPEG at 30 frames a second takes: capture, decoding, the change gate.

    camera.py [--binary .build/release/narrator] [--seconds N] [--quality 85] [--view still|pan|cuts]...

Runs `narrator run` (v4l2 -> scene_change -> label -> events; without a model `label` is left out) on the fake camera
of Tests/DeviceLab/preload and reads the process's own user and system time from /proc, from its third second on. The
frames are photographs of ../shared/data/images as a camera sends them (4:2:2, with sensor noise): one that stands still,
a pan over it that never ends, or another one every second. The time includes what the fake camera takes to read its
files, in place of the driver. Needs: cc, ffmpeg, cjpeg. The gate alone: `narrator bench` with a picture model prints it.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PHOTOGRAPHS = ["canal_town", "funicular", "whiteboard", "scissors"]
MOST, WARM_UP_S = 12.0, 3


def frames(view, images, folder, quality):
    """Writes one second of numbered JPEGs, or as many as the view takes; the camera shows them over and over."""
    def cut(name, first, count, moves):
        # A hand-held breadth larger than the picture, so that a pan has somewhere to go.
        x = f"abs(mod(n*{moves}\\,640)-320)"
        chain = f"scale=1600:900,crop=1280:720:{x}:90,noise=alls=6:allf=t" if moves else "scale=1280:720,noise=alls=6:allf=t"
        subprocess.run(
            ["ffmpeg", "-loglevel", "error", "-loop", "1", "-i", f"{images}/{name}.jpg", "-vf", chain, "-frames:v", str(count),
             "-start_number", str(first), f"{folder}/%04d.ppm"], check=True)

    if view == "still":
        cut(PHOTOGRAPHS[0], 0, 30, 0)
    elif view == "pan":
        cut(PHOTOGRAPHS[0], 0, 128, 5)
    else:
        for index, name in enumerate(PHOTOGRAPHS):
            cut(name, index * 30, 30, 0)
    sizes = []
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        with open(path[:-4] + ".jpg", "wb") as jpeg:
            subprocess.run(["cjpeg", "-quality", str(quality), "-sample", "2x1", path], stdout=jpeg, check=True)
        sizes.append(os.path.getsize(path[:-4] + ".jpg"))
        os.remove(path)
    return sum(sizes) / len(sizes)


def processor_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(a, view, library, folder, has_model):
    shown = os.path.join(folder, view)
    os.mkdir(shown)
    size = frames(view, a.images, shown, a.quality)
    pipeline, socket = os.path.join(folder, "camera.yaml"), os.path.join(folder, "socket")
    label = "  labels: { kind: label, from: changes, model: efficientnet-lite0 }\n" if has_model else ""
    with open(pipeline, "w") as text:
        text.write(
            "stages:\n  camera: { kind: v4l2, size: 1280x720, fps: 30 }\n  changes: { kind: scene_change, from: camera }\n"
            f"{label}  {'events: { kind: events, from: labels }' if label else ''}\n")
    environment = os.environ | {
        "LD_PRELOAD": library, "FAKEV4L_FRAMES": shown, "FAKEV4L_SIZE": "1280x720", "FAKEV4L_FPS": "30"}
    daemon = subprocess.Popen(
        [a.binary, "run", pipeline, "--socket", socket], env=environment, stderr=subprocess.PIPE, text=True)
    try:
        def stages():
            status = subprocess.run([a.binary, "status", "--json", "--socket", socket], capture_output=True, text=True)
            return {stage["id"]: stage for stage in json.loads(status.stdout)["stages"]}

        while not os.path.exists(socket):
            if daemon.poll() is not None:
                sys.exit(daemon.stderr.read())
            time.sleep(0.1)
        time.sleep(WARM_UP_S)
        before, start, used = stages(), time.monotonic(), processor_seconds(daemon.pid)
        time.sleep(a.seconds)
        used, wall, after = processor_seconds(daemon.pid) - used, time.monotonic() - start, stages()
    finally:
        daemon.terminate()
        daemon.communicate()
    count = after["camera"]["packets_out"] - before["camera"]["packets_out"]
    busy = {name: after[name]["busy_ms"] - before[name]["busy_ms"] for name in after}
    share = 100 * used / wall
    print(f"{view:5}  {size / 1024:4.0f} KiB a frame  {count / wall:5.1f} frames/s  {share:5.1f} % of one core  "
          f"decoding and gate {busy['changes'] / count:.3f} ms a frame, labels {busy.get('labels', 0) / wall / 10:.1f} %")
    return share


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=os.path.join(ROOT, ".build/release/narrator"))
    parser.add_argument("--images", default=os.path.join(ROOT, "../shared/data/images"))
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--quality", type=int, default=85)
    parser.add_argument("--view", action="append", choices=["still", "pan", "cuts"])
    a = parser.parse_args()
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    store = os.environ.get("NARRATOR_MODELS") or os.path.join(cache, "narrator", "models")
    has_model = os.path.isdir(os.path.join(store, "efficientnet-lite0"))
    with tempfile.TemporaryDirectory() as folder:
        library = os.path.join(folder, "fakev4l.so")
        source = os.path.join(ROOT, "Tests/DeviceLab/preload/fakev4l.c")
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
        shares = [measure(a, view, library, folder, has_model) for view in a.view or ["still", "pan", "cuts"]]
    sys.exit(0 if max(shares) <= MOST else f"more than {MOST} % of one core")


if __name__ == "__main__":
    main()
