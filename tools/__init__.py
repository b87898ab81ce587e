"""Tools of contributors, not in the wheel: generators of checked-in files, and the contact sheet of all tiles."""
