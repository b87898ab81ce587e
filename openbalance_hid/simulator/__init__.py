"""No deck, no key: a device that understands the real HID reports, and a sample account, both on this machine."""
