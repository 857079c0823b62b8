"""Other tools' results, and power logs beside them, turned into runs: one file for each format."""
