"""Artifacts: the file format, and how one is made of utterances."""
