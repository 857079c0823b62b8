"""A server on loopback that answers as a test says."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import NamedTuple


class Answer(NamedTuple):
    """What is sent back."""

    text: str
    status: int = 200
    media: str = "text/plain; version=0.0.4"
    location: str | None = None


Answering = Callable[[str, dict[str, str]], Answer]
"""Given the path of a request with its query, and its headers."""


@contextmanager
def answering(answer: Answering) -> Iterator[str]:
    """The address of a server that gives ``answer`` meanwhile."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            given = answer(self.path, dict(self.headers))
            body = given.text.encode()
            self.send_response(given.status)
            self.send_header("Content-Type", given.media)
            self.send_header("Content-Length", str(len(body)))
            if given.location is not None:
                self.send_header("Location", given.location)
            self.end_headers()
            # Who asked may have read enough.
            with suppress(ConnectionError):
                self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Write no log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
