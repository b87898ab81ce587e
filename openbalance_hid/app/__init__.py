"""The controller: events and the time go in, effects come out. Pure."""
