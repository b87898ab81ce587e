"""A virtual Stream Deck that takes and sends real HID reports."""
