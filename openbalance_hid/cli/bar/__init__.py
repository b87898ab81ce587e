"""`bar`: the line for a status bar."""
