"""Artifacts: the file format, and the machinery that writes one utterance by utterance."""
