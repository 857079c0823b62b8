"""The command that starts the server."""

import argparse
import os
import signal
from contextlib import suppress

from chat_service.backend import choose_backend
from chat_service.engine import Engine
from chat_service.model import SHAPES, Transformer
from chat_service.server import ChatServer


def main() -> None:
    """Serve until Ctrl-C or SIGTERM; the one line printed ends with the URL and says: ready."""
    options = _parse_arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        backend = choose_backend(options.seed)
        shape = SHAPES[options.model or ("chat-small" if backend.device == "cpu" else "chat-large")]
        engine = Engine(Transformer(shape, backend), kv_cache=options.kv_cache)
        with _open_server(options.host, options.port, engine) as server:
            cache = "with" if options.kv_cache else "without"
            print(f"{shape.name} on {backend.device}, {cache} a KV cache, at {server.url}", flush=True)
            server.serve_forever()


def _open_server(host: str, port: int, engine: Engine) -> ChatServer:
    try:
        return ChatServer(host, port, engine)
    except (OSError, OverflowError) as error:
        raise SystemExit(f"chat_service cannot listen at {host}, port {port}: {error}") from error


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m chat_service", description="Serve a small transformer with random weights."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000, help="0 takes a free one")
    parser.add_argument("--model", choices=SHAPES, help="default: chat-large on a GPU, else chat-small")
    parser.add_argument("--seed", type=int, default=7, help="of the weights")
    parser.add_argument(
        "--kv-cache",
        action=argparse.BooleanOptionalAction,
        default=os.environ.get("CHAT_KV_CACHE") != "0",
        help="default: on, unless the environment has CHAT_KV_CACHE=0",
    )
    return parser.parse_args()
