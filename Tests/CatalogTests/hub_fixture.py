"""A hub of models on the loopback interface, and a second server that it sends on to for large files.

    python3 hub_fixture.py FOLDER    # prints the port of the hub, then serves until its standard input ends

/KIND/OWNER/NAME/resolve/main/FILE gives FOLDER/FILE to whom the token `good` is shown: 401 without one, 403 with another.
A *.safetensors is at the second server, whose address the answer names; other files are sent on within the hub, by a
relative address. KIND: `open` behaves; `cut` ends the second server's connection half way when no range is asked for, `stuck` falls
silent there; `lying` tells other hashes; `mute` tells none; `round` sends on in circles; `odd` names shards in other
folders. /log gives one line per request so far: server, method, file, the range asked for, and `token` where one was shown.
"""
import hashlib
import http.server
import json
import pathlib
import sys
import threading

folder = pathlib.Path(sys.argv[1])
log = []


def digest(name, body):
    if name.endswith(".safetensors"):
        return hashlib.sha256(body).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_HEAD(self):
        self.do_GET()

    def reply(self, status, body=b"", headers=(), cut=False):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body[: len(body) // 2] if cut else body)
            self.close_connection = cut

    def note(self, server, name):
        token = " token" if self.headers.get("Authorization") else ""
        log.append(f"{server} {self.command} {name} {self.headers.get('Range') or 'whole'}{token}")

    def body(self, kind, name):
        if kind == "odd" and name.endswith("index.json"):
            return json.dumps({"weight_map": {"a": "../outside.safetensors"}}).encode()
        return (folder / name).read_bytes()

    def file(self, kind, name, headers=()):
        body = self.body(kind, name)
        asked = self.headers.get("Range")
        if not asked:
            is_half = kind in ("cut", "stuck") and name.endswith(".safetensors")
            self.reply(200, body, headers, cut=is_half)
            return threading.Event().wait(60) if is_half and kind == "stuck" else None
        start = int(asked.removeprefix("bytes=").removesuffix("-"))
        ranged = [("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")]
        self.reply(206, body[start:], [*headers, *ranged])


class Hub(Handler):
    def do_GET(self):
        if self.path == "/log":
            return self.reply(200, "\n".join(log).encode())
        kind, name = self.path.split("/")[1], self.path.split("/")[-1]
        self.note("hub", name)
        token = self.headers.get("Authorization")
        if token != "Bearer good":
            return self.reply(403 if token else 401)
        if not (folder / name).is_file():
            return self.reply(404)
        body = self.body(kind, name)
        tag = digest(name, body + b"!" if kind == "lying" else body)
        if name.endswith(".safetensors"):
            linked = [("X-Linked-ETag", f'"{tag}"'), ("X-Linked-Size", str(len(body)))]
            place = ("Location", f"http://127.0.0.1:{store.server_address[1]}/{kind}/{name}?signature=1")
            return self.reply(302, headers=[place] + ([] if kind == "mute" else linked))
        if kind == "round":
            return self.reply(307, headers=[("Location", self.path)])
        if "/cache/" not in self.path:
            return self.reply(307, headers=[("Location", f"/{kind}/cache/{name}")])
        self.file(kind, name, [] if kind == "mute" else [("ETag", f'W/"{tag}"')])


class Store(Handler):
    def do_GET(self):
        kind, name = self.path.split("?")[0].split("/")[1:]
        self.note("store", name)
        self.file(kind, name, [("ETag", '"not-a-hash"')])


hub = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
store = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Store)
print(hub.server_address[1], flush=True)
for server in (hub, store):
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
