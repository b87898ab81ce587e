"""This program as a part of the system: units for the service managers, their installation, and diagnostics."""
