"""The HTTP side: OpenAI's ``/v1/chat/completions`` and ``/v1/models``, and ``/health``."""

import json
import sys
from collections.abc import Callable, Iterable
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from chat_service.chat_reply import streamed_reply, whole_reply
from chat_service.chat_request import RequestError, read_request
from chat_service.engine import Engine, ModelError


class ChatServer(ThreadingHTTPServer):
    """Serves ``engine`` at ``host``; port 0 takes a free one, and ``url`` tells which."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str, port: int, engine: Engine) -> None:
        super().__init__((host, port), _Handler)
        self.engine = engine
        self.url = f"http://{host}:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Show what went wrong, which a client that has left is not."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: ChatServer
    protocol_version = "HTTP/1.1"
    # Each token of a stream would else wait until the client has acknowledged the one before.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._serve({"/health": self._health, "/v1/models": self._models})

    def do_POST(self) -> None:
        self._serve({"/v1/chat/completions": self._chat})

    def _serve(self, routes: dict[str, Callable[[bytes], None]]) -> None:
        try:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path not in routes:
                message = f"There is no {self.command} {self.path}; there is {' and '.join(routes)}."
                raise RequestError(message, code="unknown_url", status=404)
            routes[self.path](body)
        except RequestError as error:
            self._send(error.as_dict(), error.status)

    def _health(self, _body: bytes) -> None:
        self._send({"status": "ok"})

    def _models(self, _body: bytes) -> None:
        name = self.server.engine.model.shape.name
        model = {"id": name, "object": "model", "created": 0, "owned_by": "chat_service"}
        self._send({"object": "list", "data": [model]})

    def _chat(self, body: bytes) -> None:
        engine = self.server.engine
        request = read_request(body, engine.model.shape)
        tokens = engine.generate(request.prompt, request.max_tokens, request.temperature, request.seed)
        with closing(tokens):
            if request.stream:
                self._send_events(streamed_reply(request, tokens))
                return
            try:
                reply = whole_reply(request, tokens)
            except ModelError as error:
                raise _server_error(error) from error
            self._send(reply)

    def _send(self, content: dict[str, Any], status: int = 200) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send_events(self, contents: Iterable[dict[str, Any]]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for content in contents:
                self._send_event(json.dumps(content))
            self._send_event("[DONE]")
        except ModelError as error:
            self._send_event(json.dumps(_server_error(error).as_dict()))
        self.wfile.write(b"0\r\n\r\n")

    def _send_event(self, data: str) -> None:
        event = f"data: {data}\n\n".encode()
        self.wfile.write(b"%x\r\n%b\r\n" % (len(event), event))

    def log_request(self, *_: object) -> None:
        """Keep standard error for what goes wrong."""


def _server_error(error: ModelError) -> RequestError:
    return RequestError(str(error), status=500, kind="server_error")
