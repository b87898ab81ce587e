"""For contributors, not in the wheel: generators and the contact sheet of all tiles."""
