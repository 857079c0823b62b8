"""Runs, baselines, journals and calibrations as files, written whole and read strictly."""
