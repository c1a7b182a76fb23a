"""Files that other programs read and write: audio, labels, TextGrids."""
