"""Podium: browse machine-learning models and promote them."""

__version__ = "0.1.0"
