"""A Prometheus as Debian packages it, started by a test on loopback, in a folder of its own."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

PROGRAMS = ("prometheus", "promtool")
STARTUP_S = 30.0


class RealPrometheus:
    """It keeps its data in ``folder``, and runs while a test has it `serve`."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data = folder, folder / "data"

    def backfill(self, openmetrics: str) -> None:
        """Let it have scraped what is in a text with times."""
        path = self.folder / "scraped.txt"
        path.write_text(openmetrics, "utf-8")
        command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "-q", str(path), str(self.data)]
        subprocess.run(command, check=True, capture_output=True, timeout=STARTUP_S)

    @contextmanager
    def serve(self, targets: dict[str, str] | None = None, interval: str = "1s") -> Iterator[str]:
        """Its address, meanwhile; it scrapes ``targets``, addresses by the names of their jobs."""
        jobs = "".join(
            f"  - job_name: {job}\n    static_configs:\n      - targets: ['{target.removeprefix('http://')}']\n"
            for job, target in (targets or {}).items()
        )
        config = self.folder / "prometheus.yml"
        config.write_text(
            f"global:\n  scrape_interval: {interval}\n  scrape_timeout: {interval}\nscrape_configs:\n{jobs}"
        )
        port = free_port()
        address = f"http://127.0.0.1:{port}"
        command = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={self.data}"]
        command += [f"--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.retention.time=100y"]
        with (self.folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            self._await(process, address)
            yield address
        finally:
            process.terminate()
            process.wait(STARTUP_S)

    def _await(self, process: "subprocess.Popen[bytes]", address: str) -> None:
        until_s = time.monotonic() + STARTUP_S
        while time.monotonic() < until_s and process.poll() is None:
            try:
                with urlopen(f"{address}/-/ready", timeout=1.0):
                    return
            except (URLError, OSError):
                time.sleep(0.05)
        pytest.fail(f"prometheus did not start: {(self.folder / 'log').read_text()}")


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@pytest.fixture
def real_prometheus(tmp_path: Path) -> RealPrometheus:
    """One that has scraped nothing yet; skips where Debian's package is not installed."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        pytest.skip(f"no {' and no '.join(missing)} here: apt-get install prometheus")
    return RealPrometheus(tmp_path)
