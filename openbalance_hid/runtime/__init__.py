"""Threads, adapters and the composition root."""
