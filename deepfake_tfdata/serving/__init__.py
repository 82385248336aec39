"""Verdicts over HTTP: a page to drop a video on, and an interface for programs."""
