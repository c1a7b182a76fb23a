"""Measures of synthesised speech: one file each, one line each in `registry`."""
