"""A server on 127.0.0.1 that tapctl takes for AWS: signs anew what it gets, sends it on, writes down what comes back.

Only who signs with the access key that was drawn for this run is served: others on this machine must not act with the
rights of whoever runs it.
"""

import http.server
import io
import secrets
import socket
import struct
import threading
import time
from contextlib import suppress

from botocore.exceptions import BotoCoreError, HTTPClientError
from local_aws import wire
from moto.moto_server.werkzeug_app import BackendRequest
from werkzeug.test import EnvironBuilder

# For a call to an API without a signature, which nothing else could be told by.
UNSIGNED = "X-Accept-Unsigned"
NOT_PASSED_BACK = {"connection", "content-length", "keep-alive", "transfer-encoding"}


class Forwarder:
    def __init__(self, upstream, recorder):
        self.upstream, self.recorder = upstream, recorder
        self.access_key = "ACCEPT" + secrets.token_hex(10).upper()
        self.tripwire = None
        self._server = Server(("127.0.0.1", 0), handler_of(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *ignored):
        self._server.shutdown()
        self._server.server_close()

    def serve(self, request):
        """(status, headers, body), or None where the caller must not hear of an answer."""
        scope = wire.credential_scope(request)
        known = scope[0] if scope else request.headers.get(UNSIGNED)
        if known != self.access_key:
            return 403, {"Content-Type": "text/plain"}, b"not for you"
        began = time.monotonic()
        try:
            answer = self.upstream.send(request, scope and scope[1:])
        except (BotoCoreError, HTTPClientError, OSError) as problem:
            self.recorder.lost(request, problem)
            return None
        return None if self._note(request, scope, answer, time.monotonic() - began) else answer

    def _note(self, request, scope, answer, seconds):
        """Whether somebody waited for just this call, and its answer is lost."""
        invoked = scope is None or scope[2] == "execute-api"
        write = self.recorder.invocation if invoked else self.recorder.call
        try:
            operation, went_well = write(request, *answer, seconds)
        except Exception as problem:  # The call was made: whoever made it must hear of it, understood here or not.
            self.recorder.unread(request, repr(problem))
            return False
        tripwire = self.tripwire
        if tripwire is None or not went_well or not tripwire.meets(operation):
            return False
        self.tripwire = None
        tripwire.strike(operation)
        return True


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """That a client left, as one that was killed does, is nothing to tell."""


def handler_of(forwarder):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *ignored):
            pass

        def answer(self):
            request = self.read()
            try:
                answer = forwarder.serve(request)
            except Exception as problem:  # Whatever goes wrong here must not look like an answer of AWS.
                forwarder.recorder.lost(request, repr(problem))
                answer = None
            if answer is None:
                self.reset()
                return
            with suppress(ConnectionError):
                self.pass_back(*answer)

        do_GET = do_PUT = do_POST = do_HEAD = do_PATCH = do_DELETE = answer

        def read(self):
            body = b""
            if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
                body = b"".join(self.chunks())
            elif length := int(self.headers.get("Content-Length") or 0):
                body = self.rfile.read(length)
            path, _, query = self.path.partition("?")
            builder = EnvironBuilder(path, method=self.command, query_string=query, input_stream=io.BytesIO(body))
            environ = builder.get_environ()
            environ["RAW_URI"] = self.path
            environ["CONTENT_LENGTH"] = str(len(body))
            for key, value in self.headers.items():
                name = key.upper().replace("-", "_")
                if name not in ("CONTENT_LENGTH", "TRANSFER_ENCODING"):
                    environ[name if name == "CONTENT_TYPE" else f"HTTP_{name}"] = value
            request = BackendRequest(environ)
            # Whoever parses the form first would consume the body that has to be sent on.
            request.get_data()
            return request

        def chunks(self):
            while size := int(self.rfile.readline().partition(b";")[0], 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass

        def pass_back(self, status, headers, body):
            self.send_response_only(status)
            for key, value in headers.items():
                if key.lower() not in NOT_PASSED_BACK:
                    self.send_header(key, value)
            if self.command == "HEAD":
                length = next((v for k, v in headers.items() if k.lower() == "content-length"), None)
                if length is not None:
                    self.send_header("Content-Length", length)
            elif status not in (204, 304):
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD" and status not in (204, 304):
                self.wfile.write(body)

        def reset(self):
            """With a linger of zero the kernel answers with RST: the client cannot tell whether the call was made."""
            self.close_connection = True
            with suppress(OSError):
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()

    return Handler
