"""The virtual deck as a USB device, over USB/IP."""
