"""One window: the clock, the claim on its devices, the readings, and the measurement they become."""
