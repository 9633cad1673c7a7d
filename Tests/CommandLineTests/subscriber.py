#!/usr/bin/env python3
"""Prints what a running narrator hears, and after a break goes on where it was: subscriber.py SOCKET"""
import json, socket, sys, time

since = None  # the daemon and the newest event that we know
while True:
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(sys.argv[1])
            wish = {"id": 1, "cmd": "subscribe", "events": ["transcript.final"], **({"since": since} if since else {})}
            connection.sendall(json.dumps(wish).encode() + b"\n")
            for message in map(json.loads, connection.makefile("rb")):
                if "result" in message and (not since or since["boot"] != message["result"]["boot"]):
                    since = {"boot": message["result"]["boot"], "seq": 0 if since else message["result"]["seq"]}
                elif message.get("event") == "transcript.final":
                    print(message["text"].strip(), flush=True)
                    since["seq"] = message["seq"]
                elif message.get("event") == "bye" and message["code"] == "shutdown":
                    sys.exit()
        except OSError:
            pass
    time.sleep(1)
