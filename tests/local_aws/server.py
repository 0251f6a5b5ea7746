"""The HTTP server: one thread a connection, kept alive, and able to lose an answer on purpose."""

import io
import os
import select
import signal
import socket
import stat
import struct
import threading
import warnings
from email.utils import formatdate

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import ThreadedWSGIServer

from . import rules, services  # noqa: F401
from .pipeline import handle
from .world import world

IDLE_SECONDS = 300


class Handler(MotoRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True

    def log_request(self, *ignored):
        pass

    def run_wsgi(self):
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        environ = self.make_environ()
        environ["wsgi.input"] = io.BytesIO(self.body_of(environ))
        self.send(handle(environ, self.client_left), environ["REQUEST_METHOD"])

    def body_of(self, environ):
        if environ.get("wsgi.input_terminated"):
            body = environ["wsgi.input"].read()
            environ["CONTENT_LENGTH"] = str(len(body))
            return body
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def send(self, reply, method):
        if reply.manner == "reset":
            return self.reset_connection()
        headers = {k: v for k, v in reply.headers.items() if k.lower() not in ("connection", "transfer-encoding", "date")}
        headers["Date"] = formatdate(world.time(), usegmt=True)
        if reply.status != 204 and not (method == "HEAD" and "Content-Length" in headers):
            headers["Content-Length"] = str(len(reply.body))
        lines = [f"HTTP/1.1 {reply.status} {self.phrase(reply.status)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
        body = b"" if method == "HEAD" or reply.status == 204 else reply.body
        if reply.manner == "truncated":
            self.wfile.write(head + body[: len(body) // 2])
            return self.end_connection()
        self.wfile.write(head + body)

    def phrase(self, status):
        return self.responses.get(status, ("Status",))[0]

    def reset_connection(self):
        """With a linger of zero the kernel answers with RST: the client cannot tell whether the call was made."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.end_connection()

    def end_connection(self):
        self.close_connection = True
        self.wfile.flush()
        self.connection.close()

    def client_left(self):
        try:
            readable, _, _ = select.select([self.connection], [], [], 0)
            return bool(readable) and self.connection.recv(1, socket.MSG_PEEK) == b""
        except OSError:
            return True


class Server(ThreadedWSGIServer):
    # A test starts dozens of connections at once; the default backlog of 5 would refuse some of them.
    request_queue_size = 256
    allow_reuse_address = True

    def __init__(self, port):
        super().__init__("127.0.0.1", port, None, handler=Handler)
        self.parent = None

    def service_actions(self):
        if self.parent not in (None, os.getppid()):
            raise SystemExit


class Forks:
    """Servers that begin with all this one holds, go their own way on a port of their own, and end with this one."""

    def __init__(self):
        self.pids = {}

    def start(self, port):
        server = Server(port)
        port, parent = server.server_port, os.getpid()
        # The lock keeps every other thread out of the world while it is copied.
        with world.lock, warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            server.parent = parent
            self.serve(server)
        server.server_close()
        self.pids[port] = pid
        return {"port": port, "url": f"http://127.0.0.1:{port}"}

    def serve(self, server):
        self.pids.clear()
        try:
            let_go_of_connections(server.fileno())
            server.serve_forever()
        finally:
            os._exit(0)

    def end(self, port):
        pid = self.pids.pop(port)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def let_go_of_connections(own):
    """A connection that two processes hold does not close when one of them closes it."""
    null = os.open(os.devnull, os.O_RDWR)
    for number in map(int, os.listdir("/dev/fd")):
        try:
            if number != own and stat.S_ISSOCK(os.fstat(number).st_mode):
                # Closing it would let its number be taken, and be closed again by what still knows it.
                os.dup2(null, number)
        except OSError:
            pass


forks = Forks()


class BackgroundServer:
    """A server in this process, for tests."""

    def __init__(self, port=0):
        self.server = Server(port)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self._thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *ignored):
        self.server.shutdown()
        self.server.server_close()
