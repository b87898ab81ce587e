"""Where it comes from: OpenRouter's account API, and the only HTTP in the program."""
