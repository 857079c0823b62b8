"""Joules from an energy counter: its ticks, the levels outside."""
