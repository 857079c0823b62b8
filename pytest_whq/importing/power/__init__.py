"""Power logs: read, placed in time, integrated over the windows of results."""
