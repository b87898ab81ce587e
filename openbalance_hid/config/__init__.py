"""What the owner wants: the configuration file, its meaning and its place."""
