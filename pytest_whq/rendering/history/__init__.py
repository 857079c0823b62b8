"""A history as a table and as a page."""
