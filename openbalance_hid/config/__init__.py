"""The configuration file: its location, its schema and its effective values."""
