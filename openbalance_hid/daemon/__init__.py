"""The house: carries things from room to room, and is the only place that knows all of them."""
