"""What is stored: the only SQLite. One file, one thread; no exception leaves the package."""
