"""The pruner: players who fell silent leave PlayerState."""
