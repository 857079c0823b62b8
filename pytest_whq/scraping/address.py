"""An HTTP address that users give, its password kept out of sight, and what answers there."""

import base64
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener

from pytest_whq.errors import SettingError, SourceError, TooMuchError
from pytest_whq.real_time import now_s

TIMEOUT_S = 1.5
"""Waited for an answer; shorter than what the sampler takes for a source that hangs."""

LONGEST_S = 5.0
"""From an answer's first byte to its last."""

MOST_BYTES = 16 * 1024 * 1024
"""An answer that is longer is not read to its end: a node's exporter has some hundred kilobytes."""


_PIECE_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Address:
    """Where something answers. ``shown`` is it without user, password and query, for sentences."""

    url: str = field(repr=False)
    shown: str
    authorization: str | None = field(default=None, repr=False)

    @property
    def host(self) -> str:
        """The name of the machine."""
        return urlsplit(self.url).hostname or ""


def address_of_source(source: str, text: str, path: str = "") -> Address:
    """The address ``text`` of the power source ``source``, with ``path`` where it has none; SettingError."""
    return address_from(f"--whq-source {source}", text, path, example=f"{source}:http://HOST:PORT")


def address_from(where: str, text: str, path: str = "", *, example: str = "http://HOST:PORT") -> Address:
    """The address ``text`` that is given as ``where``, with ``path`` where it has none; SettingError."""
    try:
        parts = urlsplit(text.strip())
        host = parts.hostname if parts.scheme in ("http", "https") else None
        place = f"[{host}]" if host and ":" in host else host
        place = place if parts.port is None else f"{place}:{parts.port}"
    except ValueError:
        host = None
    if not host or not _can_be_sent(host):
        # Not quoted: what stands there may be a password.
        raise SettingError(f"{where}: needs an address such as {example}, with http or https.")
    if not is_visible(parts.path + parts.query):
        raise SettingError(
            f"{where}: behind its host the address has a character that none can have. Write it with %, "
            "as %20 for a blank."
        )
    shown = f"{parts.scheme}://{place}{parts.path.rstrip('/') or path}"
    authorization = None
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"
    return Address(f"{shown}?{parts.query}" if parts.query else shown, shown, authorization)


def is_visible(text: str) -> bool:
    """Whether ``text`` can stand in a line of HTTP; what cannot an error would quote, secret or not."""
    return text.isascii() and text.isprintable() and " " not in text


def _can_be_sent(host: str) -> bool:
    try:
        return is_visible(host.encode("idna").decode("ascii"))
    except UnicodeError:
        return False


def fetch(source: str, address: Address, query: str = "", patience_s: float = 0.0) -> tuple[str, str]:
    """The text that answers there, and its media type. Raises `SourceError` that names the address.

    With ``patience_s`` it may take longer than a reading may.
    """
    request = Request(f"{address.url}?{query}" if query else address.url)
    if address.authorization is not None:
        request.add_header("Authorization", address.authorization)
    try:
        with _opener().open(request, timeout=max(TIMEOUT_S, patience_s)) as answer:
            body = _read(answer, max(LONGEST_S, patience_s))
            media = answer.headers.get_content_type()
    except HTTPError as error:
        error.close()
        # A Prometheus says so of a query that would load too many samples.
        kind = TooMuchError if error.code == HTTPStatus.UNPROCESSABLE_ENTITY else SourceError
        raise kind(f"{source}: {address.shown} answers {error.code}: {_of_status(error.code)}") from None
    except (URLError, OSError, HTTPException) as error:
        why = getattr(error, "reason", None) or error
        raise SourceError(
            f"{source}: {address.shown} does not answer ({why}). See that it runs and is reached from here."
        ) from None
    if len(body) > MOST_BYTES:
        raise TooMuchError(
            f"{source}: {address.shown} answers with more than {MOST_BYTES // 2**20} MiB. "
            "Name the exporter or the engine itself, not what gathers from many."
        )
    return body.decode("utf-8", errors="replace"), media


def _read(answer: HTTPResponse, longest_s: float) -> bytes:
    """The body up to `MOST_BYTES` and a piece; TimeoutError for one that drips."""
    body, until_s = bytearray(), now_s() + longest_s
    while len(body) <= MOST_BYTES and (piece := answer.read1(_PIECE_BYTES)):
        body += piece
        if now_s() > until_s:
            raise TimeoutError(f"its answer has not ended within {longest_s:.0f} s")
    if answer.length and len(body) <= MOST_BYTES:
        raise ConnectionError("it broke off in the midst of its answer")
    return bytes(body)


@cache
def _opener() -> OpenerDirector:
    # Once, since it reads the certificates of all authorities.
    return build_opener(_NoRedirect)


class _NoRedirect(HTTPRedirectHandler):
    """Goes nowhere else: a password is for whom it was given."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        """Follow no redirect."""


def _of_status(code: int) -> str:
    if code in (401, 403):
        return "check the user and the password, or the token."
    if code in (400, 422):
        return "it does not take what it is asked for: check its address, or --whq-prometheus-query."
    if code in range(300, 400):
        return "it sends elsewhere, which is not followed; give the address where it leads."
    return "check the address, and what its log says."
