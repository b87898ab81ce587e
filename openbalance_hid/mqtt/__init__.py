"""A team's decks over an MQTT broker: publish snapshots, and show those of another machine. The only paho."""
