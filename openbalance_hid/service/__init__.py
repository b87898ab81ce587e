"""Living in the system: units for the service managers, putting them into place, and finding out what is wrong."""
