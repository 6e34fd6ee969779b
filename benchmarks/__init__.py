"""Measurements, side by side with the buses in use today. One question a file."""
