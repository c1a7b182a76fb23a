"""Pages to listen to: recordings and what is known of them, as one HTML file by itself."""
