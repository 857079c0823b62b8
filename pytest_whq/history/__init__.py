"""Runs over commits: the series of each test on each rig, and where it changed. Pure."""
