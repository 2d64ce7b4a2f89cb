"""``python -m headcount.healthcheck [PATH]``: asks the service in this container; exit 0 if it answers 200, else 1.

``PATH`` is ``/healthz`` (should the container be restarted?) or ``/readyz`` (does it do its work?). Imports nothing
that takes time: a container platform calls it every few seconds.
"""

import http.client
import os
import sys

DEFAULT_PORT = 9464  # that of headcount.settings
TIMEOUT_SECONDS = 4.0  # below the platform's own


def main(path: str) -> int:
    """Print what is wrong, as the service tells it; the exit code."""
    port = int(os.environ.get("HEADCOUNT_METRICS_PORT") or DEFAULT_PORT)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        sys.stdout.write(answer.read().decode(errors="replace") + "\n")
    except OSError as error:
        sys.stdout.write(f"no answer on port {port}: {error}\n")
        return 1
    finally:
        connection.close()
    return 0 if answer.status == http.HTTPStatus.OK else 1


if __name__ == "__main__":
    sys.exit(main(*(sys.argv[1:] or ["/healthz"])))
