"""The small server that stands for the tasks behind a load balancer.

It answers what a task was sent, as JSON, compressed where that is asked for, or what `POST /_local/tasks` wants it to: `status`, `headers`, `body` and
`seconds` (how long a task takes for it, which nobody waits for). With `url` the requests go to another server on this
machine instead. `GET /_local/tasks` tells which requests reached a task, `DELETE` forgets them and every wish.
"""

import gzip
import http.client
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from ....world import world
from .refusals import Answer

WISHES = {"status", "headers", "body", "seconds", "url"}
TARGET = "X-Local-Target"
# Longer than API Gateway waits.
PATIENCE = 30


class Tasks:
    def __init__(self):
        self.server, self.owner = None, None
        self.forget()

    def forget(self):
        self.wish, self.seen = {}, []

    def choose(self, wish):
        unknown = set(wish) - WISHES
        if unknown:
            raise ValueError(f"unknown fields {sorted(unknown)}; what tasks answer has {', '.join(sorted(WISHES))}")
        self.wish = wish

    def where(self):
        """The address of the server. A fork of this process has none of its threads, and starts one of its own."""
        if "url" in self.wish:
            url = urlsplit(self.wish["url"])
            return url.hostname, url.port
        if self.owner != os.getpid():
            self.server, self.owner = ThreadingHTTPServer(("127.0.0.1", 0), Handler), os.getpid()
            self.server.daemon_threads = True
            threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self.server.server_address


tasks = Tasks()
world.on_reset.append(tasks.forget)
starting = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *ignored):
        pass

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in self.headers.items() if name != TARGET}
        arrived = {"task": self.headers.get(TARGET), "method": self.command, "path": self.path, "headers": headers}
        arrived["body"] = body.decode("utf-8", "replace")
        tasks.seen.append(arrived)
        wish = tasks.wish
        payload = wish.get("body", json.dumps(arrived)).encode()
        self.send_response_only(int(wish.get("status", 200)))
        for name, value in ({"Content-Type": "application/json"} | wish.get("headers", {})).items():
            self.send_header(name, value)
        if "gzip" in (self.headers.get("Accept-Encoding") or ""):
            self.send_header("Content-Encoding", "gzip")
            payload = gzip.compress(payload)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload if self.command != "HEAD" else b"")

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = answer


def seconds():
    return float(tasks.wish.get("seconds", 0))


def ask(hop):
    """Sends a request on its last hop."""
    arrival = hop.arrival
    with starting:
        host, port = tasks.where()
    connection = http.client.HTTPConnection(host, port, timeout=PATIENCE)
    target = arrival.path + (f"?{arrival.query}" if arrival.query else "")
    headers = {n: v for n, v in arrival.headers.items() if n.lower() != "content-length"}
    try:
        connection.request(
            arrival.method, target, arrival.body or None, headers | {TARGET: f"{hop.address}:{hop.port}"}
        )
        answer = connection.getresponse()
        return Answer(answer.status, dict(answer.getheaders()), answer.read())
    except (OSError, http.client.HTTPException):
        from .balancing import own

        return own(502, "Bad Gateway")
    finally:
        connection.close()
