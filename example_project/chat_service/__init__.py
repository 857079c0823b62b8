"""A small chat service: an OpenAI-compatible server around a small transformer."""
