"""A period of production as a Prometheus has kept it: energy of the devices, queries of the engines."""
