"""What was seen, judged: facts in, checks out. Pure."""
