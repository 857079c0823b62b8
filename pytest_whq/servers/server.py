"""The inference engine whose counters are read beside a measurement."""

from pytest_whq.errors import SourceError
from pytest_whq.scraping.address import Address, fetch
from pytest_whq.scraping.exposition import NotMetricsError
from pytest_whq.servers.counters import Page, UnknownEngineError, page_of
from pytest_whq.servers.engines import ENGINES


class Server:
    """The one that shows its metrics at ``address``."""

    def __init__(self, address: Address) -> None:
        self._address = address

    def look(self) -> Page:
        """What it shows now; SourceError where it does not answer, or with something else."""
        text, media = fetch("whq_server", self._address)
        try:
            if media in ("text/html", "application/json"):
                raise NotMetricsError
            return page_of(text)
        except NotMetricsError:
            raise self._wrong(
                "something else than metrics. A proxy or a login may stand before it, or its metrics are "
                "elsewhere, as trtllm-serve's at /prometheus/metrics: give their whole address."
            ) from None
        except UnknownEngineError:
            engines = ", ".join(engine.name for engine in ENGINES.values())
            raise self._wrong(
                f"metrics of no engine that is known ({engines}). Check that the engine itself is meant, "
                "and that it was started with its metrics, as llama.cpp's server is by --metrics."
            ) from None

    def _wrong(self, what: str) -> SourceError:
        return SourceError(f"whq_server: {self._address.shown} answers with {what}")
