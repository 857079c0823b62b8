"""Metrics over HTTP: addresses with passwords, the text of exporters, and what a Prometheus answers."""
