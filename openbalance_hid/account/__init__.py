"""What we know about an account. Pure: no clock, socket, thread or file; time is an argument."""
