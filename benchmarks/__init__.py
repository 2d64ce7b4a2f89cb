"""``make bench``: how fast and how cheap Headcount is, measured against the tutorial's algorithm in the same run."""
