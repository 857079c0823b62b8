"""The power source of NVIDIA GPUs."""
