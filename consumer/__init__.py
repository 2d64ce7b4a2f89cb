"""The consumer: from the events' stream to PlayerState."""
