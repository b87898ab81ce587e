"""What we remember: the only SQLite. One file, one thread, and never an exception out of the room."""
