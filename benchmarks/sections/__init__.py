"""What is measured, a module each: ``measure(size)`` returns its findings."""
