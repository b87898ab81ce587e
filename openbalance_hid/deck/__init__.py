"""The device: everything that talks HID. Nothing here draws, fetches or decides what a press means."""
