"""What the tests of the NVML source share."""

import contextlib
from collections.abc import Iterator

import pytest

from pytest_whq.errors import SourceError
from pytest_whq.model import Reading
from pytest_whq.sources.nvml.source import NvmlSource


@contextlib.contextmanager
def opened(devices: str | None = None) -> Iterator[NvmlSource]:
    with contextlib.closing(NvmlSource(devices)) as source:
        yield source


def one_reading(source: NvmlSource) -> Reading:
    (reading,) = source.read()
    return reading


def why_not_opened(devices: str | None = None) -> tuple[str, str]:
    """The sentence and the code with which the source refuses to open."""
    with pytest.raises(SourceError) as raised:
        NvmlSource(devices)
    return str(raised.value), raised.value.code


def why_not_read(source: NvmlSource) -> str:
    with pytest.raises(SourceError) as raised:
        source.read()
    assert raised.value.code == "source_error"
    return str(raised.value)
