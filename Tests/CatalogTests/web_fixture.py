"""A small web server on the loopback interface with the manners and the faults of real ones.

    python3 web_fixture.py        # prints its port, then serves until its standard input ends, as with its parent

/KIND/SIZE/NAME gives SIZE bytes that follow from NAME. KIND: `good` knows ranges; `plain` does not; `cut` ends the
connection half way when a range is not asked for; `drip` ends it after each 100000 bytes; `shifted` gives another range than
was asked for; `wrong` gives other bytes; `long` gives more, `short` half of them; `gone` answers 404; `silent` never
answers; `stuck` falls silent half way. /log gives one line per request so far: the path and the range asked for.
"""
import hashlib
import http.server
import sys
import threading

log = []


def content(name, size):
    return (hashlib.sha256(name.encode()).digest() * (size // 32 + 1))[:size]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def reply(self, status, body, headers=(), most=None):
        """Promises all of the body; gives `most` of its bytes at most, and then ends the connection."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[:most])
        self.close_connection = most is not None

    def do_GET(self):
        if self.path == "/log":
            return self.reply(200, "\n".join(log).encode())
        asked = self.headers.get("Range")
        kind, size, name = self.path.strip("/").split("/")
        log.append(f"{kind}/{name} {asked or 'whole'}")
        size = int(size)
        body = content("other" if kind == "wrong" else name, {"long": size + 7, "short": size // 2}.get(kind, size))
        if kind == "gone":
            return self.reply(404, b"no such file")
        if kind == "silent":
            return threading.Event().wait(30)
        most = {"cut": None if asked else size // 2, "drip": 100_000, "stuck": size // 2}.get(kind)
        if not asked or kind == "plain":
            self.reply(200, body, most=most)
            return threading.Event().wait(30) if kind == "stuck" else None
        start = int(asked.removeprefix("bytes=").removesuffix("-"))
        if start >= len(body):
            return self.reply(416, b"no such range")
        start = 0 if kind == "shifted" else start
        ranged = [("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")]
        self.reply(206, body[start:], headers=ranged, most=most)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_address[1], flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
