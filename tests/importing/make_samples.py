"""Makes the samples of GuideLLM and AIPerf: real files of today, from runs against GuideLLM's mock server.

    python make_samples.py GUIDELLM_VENV AIPERF_VENV

Both come from the package index, each into a virtual environment of its own; nothing leaves this machine.
The GPU that AIPerf's telemetry sees is a small server here that answers as dcgm-exporter does: 250 W, and a
counter that counts them. Reports are cut down to what a sample needs: percentiles and single requests go.
"""

import json
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parent / "samples"
SERVER_PORT, GPU_PORT = 18101, 18102
POWER_W = 250.0
_DROPPED = {"requests", "percentiles", "pdf", "percentile_cis", "mean_ci", "warnings"}
_PERCENTILES = {f"p{number}" for number in (1, 5, 10, 25, 50, 75, 90, 95, 99)}

_METRICS = (
    *("request_latency", "prompt_token_count", "output_token_count"),
    *("time_to_first_token_ms", "inter_token_latency_ms"),
)

_TOKENIZER = """
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast
letters = sorted(pre_tokenizers.ByteLevel.alphabet())
one = Tokenizer(models.BPE(vocab={**{c: n for n, c in enumerate(letters)}, "<eos>": len(letters)}, merges=[]))
one.pre_tokenizer, one.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
PreTrainedTokenizerFast(tokenizer_object=one, eos_token="<eos>", bos_token="<eos>").save_pretrained("tok")
"""


class _Gpu(BaseHTTPRequestHandler):
    started_s = time.time()

    def do_HEAD(self) -> None:
        self._answer(b"")

    def do_GET(self) -> None:
        counted_mj = 10e9 + POWER_W * 1000 * (time.time() - self.started_s)
        labels = (
            'gpu="0",UUID="GPU-11111111-2222-3333-4444-555555555555",pci_bus_id="00000000:01:00.0",'
            'device="nvidia0",modelName="NVIDIA H100 80GB HBM3",Hostname="node-1"'
        )
        self._answer(
            f"# TYPE DCGM_FI_DEV_POWER_USAGE gauge\nDCGM_FI_DEV_POWER_USAGE{{{labels}}} {POWER_W:.6f}\n"
            "# TYPE DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION counter\n"
            f"DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{{{labels}}} {counted_mj:.0f}\n".encode()
        )

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/plain; version=0.0.4")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *_args: Any) -> None:
        """Say nothing."""


@contextmanager
def _mock_server(venv: Path) -> Iterator[None]:
    command = [str(venv / "bin/guidellm"), "mock-server", "--port", str(SERVER_PORT), "--model", "tiny"]
    timing = ["--ttft-ms", "20", "--itl-ms", "2", "--output-tokens", "16"]
    server = subprocess.Popen([*command, *timing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{SERVER_PORT}/v1/models", timeout=1).close()
                break
            except OSError:
                time.sleep(0.3)
        yield
    finally:
        server.terminate()
        server.wait()


def _cut(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _cut(item)
            for name, item in value.items()
            if name not in _DROPPED and name not in _PERCENTILES
        }
    return [_cut(item) for item in value] if isinstance(value, list) else value


def _guidellm(venv: Path, folder: Path) -> None:
    prompts = [{"prompt": "Why is the sea salt? " * 4 + str(number)} for number in range(40)]
    (folder / "prompts.json").write_text(json.dumps(prompts))
    subprocess.run(
        [
            *(venv / "bin/guidellm", "run", "--disable-console"),
            *("--backend", f"kind=openai_http,target=http://127.0.0.1:{SERVER_PORT},model=tiny"),
            *("--profile", "kind=concurrent,streams=4", "--override", "profile.streams", "2,4"),
            *("--constraint", "kind=max_requests,count=24", "--data", "kind=json_file,path=prompts.json"),
            *("--output", "kind=json,path=bench.json"),
        ],
        cwd=folder,
        check=True,
    )
    report = json.loads((folder / "bench.json").read_text())
    kept = ("config", "scheduler_state", "metrics", "start_time", "end_time", "duration")
    benchmarks = [{name: one[name] for name in kept} for one in report["benchmarks"]]
    for one in benchmarks:
        one["config"] = {name: one["config"][name] for name in ("strategy", "backend")}
        totals = one["metrics"]["request_totals"]
        one["metrics"] = {name: {"successful": one["metrics"][name]["successful"]} for name in _METRICS}
        one["metrics"]["request_totals"] = totals
        one["scheduler_state"] = {
            name: value for name, value in one["scheduler_state"].items() if not isinstance(value, dict)
        }
    _write("guidellm.json", _cut({"metadata": report["metadata"], "benchmarks": benchmarks}))


def _aiperf(venv: Path, folder: Path) -> None:
    subprocess.run([venv / "bin/python", "-c", _TOKENIZER], cwd=folder, check=True)
    (folder / "tok/config.json").write_text('{"model_type": "gpt2"}')
    lines = [json.dumps({"text": "Why is the sea salt? " * 3 + str(number)}) for number in range(8)]
    (folder / "in.jsonl").write_text("\n".join(lines) + "\n")
    subprocess.run(
        [
            *(venv / "bin/aiperf", "profile", "-m", "mock-model", "--url", f"http://127.0.0.1:{SERVER_PORT}"),
            *("--endpoint-type", "chat", "--streaming", "--tokenizer", "tok", "--use-server-token-count"),
            *("--request-count", "120", "--concurrency", "2", "--input-file", "in.jsonl"),
            *("--custom-dataset-type", "single_turn", "--artifact-dir", "art", "--ui", "none"),
            *("--gpu-telemetry", f"http://127.0.0.1:{GPU_PORT}/metrics"),
        ],
        cwd=folder,
        check=True,
    )
    export = _cut(json.loads((folder / "art/profile_export_aiperf.json").read_text()))
    kept = {
        name: value
        for name, value in export.items()
        if not name.startswith(("http_", "active_", "effective_"))
    }
    _write("aiperf_0.13.json", kept)


def _write(name: str, value: Any) -> None:
    (SAMPLES / name).write_text(json.dumps(value, indent=1) + "\n")


def main() -> None:
    """Make both samples anew."""
    guidellm, aiperf = (Path(argument).resolve() for argument in sys.argv[1:3])
    gpu = ThreadingHTTPServer(("127.0.0.1", GPU_PORT), _Gpu)
    threading.Thread(target=gpu.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder, _mock_server(guidellm):
        _guidellm(guidellm, Path(folder))
        _aiperf(aiperf, Path(folder))
    gpu.shutdown()


if __name__ == "__main__":
    main()
