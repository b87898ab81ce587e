"""OpenRouter's account API: the client, the poller, and the only HTTP in the program."""
