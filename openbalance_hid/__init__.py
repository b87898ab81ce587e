"""OpenRouter gauges on a Stream Deck, straight over USB HID."""

__version__ = "0.2.0"
