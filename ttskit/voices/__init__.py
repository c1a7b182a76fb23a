"""Models and voices as files."""
