"""The map that people see: counts and moves of now, read once a second for all clients together."""
