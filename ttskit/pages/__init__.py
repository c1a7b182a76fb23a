"""Pages to listen to, each one self-contained HTML file; and plots of utterances."""
