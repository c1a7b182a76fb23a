"""Measures of synthesised speech, one file each: settings, what it scores, `evaluate`."""
