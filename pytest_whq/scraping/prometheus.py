"""A Prometheus, or what answers as one does: raw samples by its instant queries."""

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from pytest_whq.errors import SettingError, SourceError
from pytest_whq.scraping.address import Address, fetch, is_visible

TOKEN, TOKEN_FILE = "WHQ_PROMETHEUS_TOKEN", "WHQ_PROMETHEUS_TOKEN_FILE"
"""Environment variables with a bearer token, or with the path of a file that holds it."""


class Series(NamedTuple):
    """One series: its labels, and the times in seconds of the server's clock and values of its samples."""

    labels: Mapping[str, str]
    samples: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Prometheus:
    """The one at ``address``, which carries what it takes to be let in.

    With ``patience_s`` it may take longer to answer than a reading may. All raise `SourceError`.
    """

    address: Address
    patience_s: float = 0.0

    def now_s(self) -> float:
        """The time by its clock, in seconds of the Unix epoch."""
        try:
            return float(self.ask("time()")[0])
        except (LookupError, TypeError, ValueError) as error:
            raise self._is_none() from error

    def series(self, query: str, at_s: float | None = None) -> list[Series]:
        """The series of ``query``, a range selector, with their samples of at least 0 that are no NaN."""
        try:
            series = [
                Series(dict(one["metric"]), [(float(s), float(v)) for s, v in one["values"]])
                for one in self.ask(query, at_s)
            ]
        except (KeyError, TypeError, ValueError) as error:
            raise self._is_none() from error
        # NaN is not at least anything.
        real = [one._replace(samples=[s for s in one.samples if 0 <= s[1] < math.inf]) for one in series]
        return [one for one in real if one.samples]

    def ask(self, query: str, at_s: float | None = None) -> Any:
        """The result of an instant query, now or at ``at_s``."""
        asked = {"query": query} if at_s is None else {"query": query, "time": f"{at_s:.3f}"}
        address = replace(self.address, url=f"{self.address.url.partition('?')[0]}/api/v1/query")
        text, _ = fetch("prometheus", address, urlencode(asked), self.patience_s)
        try:
            answer = json.loads(text)
            return answer["data"]["result"]
        except (ValueError, KeyError, TypeError):
            raise self._is_none() from None

    def _is_none(self) -> SourceError:
        return SourceError(
            f"prometheus: {self.address.shown} answers with something else than a Prometheus does. "
            "A proxy or a login may stand before it: give its own address."
        )


def with_token(address: Address) -> Address:
    """``address`` with the bearer token that the environment gives, where it gives one; SettingError."""
    token, named_by = os.environ.get(TOKEN), TOKEN
    if (path := os.environ.get(TOKEN_FILE)) is not None:
        try:
            token, named_by = Path(path).read_text("utf-8"), TOKEN_FILE
        except (OSError, UnicodeDecodeError) as error:
            raise SettingError(f"{TOKEN_FILE} names a file that cannot be read: {error}") from error
    if token is None:
        return address
    if not is_visible(token := token.strip()):
        raise SettingError(f"{named_by} gives a token with a character that none has. Give the token alone.")
    return replace(address, authorization=f"Bearer {token}")
