"""A small web server on the loopback interface with the manners and the faults of real ones.

    python3 web_fixture.py        # prints its port, then serves until its standard input ends, as with its parent

/KIND/SIZE/NAME gives SIZE bytes that follow from NAME. KIND: `good` knows ranges; `plain` does not; `cut` ends the
connection half way when a range is not asked for; `wrong` gives other bytes; `long` gives more; `gone` answers 404;
`silent` never answers. /log gives one line per request so far: the path and the range asked for.
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

    def reply(self, status, body, cut=False, headers=()):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        self.close_connection = cut

    def do_GET(self):
        if self.path == "/log":
            return self.reply(200, "\n".join(log).encode())
        asked = self.headers.get("Range")
        kind, size, name = self.path.strip("/").split("/")
        log.append(f"{kind}/{name} {asked or 'whole'}")
        body = content("other" if kind == "wrong" else name, int(size) + (7 if kind == "long" else 0))
        if kind == "gone":
            return self.reply(404, b"no such file")
        if kind == "silent":
            return threading.Event().wait(30)
        if asked and kind != "plain":
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            ranged = [("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")]
            return self.reply(206, body[start:], headers=ranged)
        self.reply(200, body, cut=kind == "cut")


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_address[1], flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
