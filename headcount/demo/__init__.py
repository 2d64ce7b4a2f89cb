"""Traffic and emulators: what a demonstration needs and a service does not."""
