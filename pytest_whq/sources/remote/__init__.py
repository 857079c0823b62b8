"""Power sources that are asked over HTTP: exporters of metrics."""
