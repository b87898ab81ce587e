"""The device: everything that speaks HID. Drawing, fetching and the meaning of a press belong elsewhere."""
