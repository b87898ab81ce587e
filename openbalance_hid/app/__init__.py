"""The controller: takes events and the time, returns effects. Pure."""
