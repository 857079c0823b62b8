"""Joules from an energy counter: its ticks, the levels outside, how power falls, and whether it tells all."""
