"""An HTTP proxy in front of a store that counts requests and can make any of them fail."""

import http.client
import re
import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlparse

_HOP = ("connection", "transfer-encoding", "content-length", "keep-alive")


class FaultyProxy(ThreadingHTTPServer):
    """Forwards requests, except those with a fault.

    Parameters
    ----------
    upstream
        URL of the store.
    fault
        Called as `fault(n, method, path)`, n from 1.  Returns None to forward the request; `reset`,
        `stall`, `truncate` (half a response), `hang` (half a response, then silence), `kill` (the
        response is lost) or `ignored` (a failed condition is answered with 200); a pair of status
        and error code to answer with; or a function that returns another response's status, headers
        and body, given those of the response.
    on_kill
        Called for `kill`, after the request was forwarded and before it is answered.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, upstream, fault=lambda n, method, path: None, on_kill=lambda: None):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream, self.fault, self.on_kill = urlparse(upstream), fault, on_kill
        self.requests = []
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request, client_address):
        pass  # a killed client hangs up

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.server.lock:
            self.server.requests.append(f"{self.command} {self.path}")
            n = len(self.server.requests)
        fault = self.server.fault(n, self.command, self.path)
        if isinstance(fault, tuple):
            return self._answer(*_refusal(*fault))
        if fault == "reset":
            return self._reset()
        if fault == "stall":
            time.sleep(5)
            return self._reset()
        answer, data = self._forward(body)
        if fault == "kill":
            self.server.on_kill()
            return self._reset()
        if fault == "ignored" and answer.status == 412:
            return self._answer(200, [("ETag", '"0"')], b"")
        headers = [(k, v) for k, v in answer.getheaders() if k.lower() not in _HOP]
        if callable(fault):
            return self._answer(*fault(answer.status, headers, data))
        if self.command == "HEAD":
            headers.append(("Content-Length", answer.getheader("Content-Length") or "0"))
        return self._answer(answer.status, headers, data, cut=fault)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _serve  # noqa: N815  # required names

    def _forward(self, body):
        # a client that uses this as its HTTP_PROXY requests the complete URL
        path = re.sub(r"^http://[^/]+", "", self.path)
        upstream = http.client.HTTPConnection(self.server.upstream.netloc, timeout=60)
        upstream.putrequest(self.command, path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in ("expect", "proxy-authorization", "proxy-connection"):
                upstream.putheader(name, value)
        upstream.endheaders(body or None)
        answer = upstream.getresponse()
        data = answer.read()
        upstream.close()
        return answer, data

    def _answer(self, status, headers, data, *, cut=None):
        is_cut = cut in ("truncate", "hang")
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data[: len(data) // 2] if is_cut else data)
        if cut == "hang":
            self.wfile.flush()
            time.sleep(5)
        if is_cut:
            self._reset()

    def _reset(self):
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def log_message(self, *_):
        pass


def _refusal(status, code):
    text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>"
    return status, [("Content-Type", "application/xml")], text.encode()
