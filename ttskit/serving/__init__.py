"""Voices over the network: requests, turns, formats, routes, and the page to try them on."""
