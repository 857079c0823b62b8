"""Readings of a sensor turned into joules, with their uncertainty. Pure: no clock, no thread, no source."""
