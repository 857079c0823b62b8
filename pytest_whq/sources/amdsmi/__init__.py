"""The power source of AMD GPUs where ROCm is."""
