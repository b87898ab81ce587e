"""An account's values and numbers. Pure: no clock, socket, thread or file; time is an argument."""
