"""The control socket: server, client, commands and status."""
