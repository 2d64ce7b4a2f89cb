"""The level aggregator: from PlayerState's stream to LevelState and Transitions."""
