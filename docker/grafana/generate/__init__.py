"""Makes the dashboards' JSON. From ``docker/grafana``: ``python -m generate``; ``python -m generate DIRECTORY``."""
