"""Looking at this machine: one function a probe. Nothing is changed, and nothing is judged here."""
