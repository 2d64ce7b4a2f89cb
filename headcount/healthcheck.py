"""``python -m headcount.healthcheck [PATH]``: asks the service in this container; exit 0 if it answers 200, else 1.

``PATH`` is ``/healthz`` (should the container be restarted?) or ``/readyz`` (does it do its work?). A platform calls it
every few seconds in each container, so it imports next to nothing: with ``http.client`` it takes twice as long.
"""

import os
import socket
import sys

DEFAULT_PORT = 9464  # that of headcount.settings
TIMEOUT_SECONDS = 4.0  # below the platform's own


def main(path: str) -> int:
    """Print what is wrong, as the service tells it; the exit code."""
    port = int(os.environ.get("HEADCOUNT_METRICS_PORT") or DEFAULT_PORT)
    try:
        with socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS) as connection:
            connection.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    except OSError as error:
        sys.stdout.write(f"no answer on port {port}: {error}\n")
        return 1
    head, _, body = answer.partition(b"\r\n\r\n")
    sys.stdout.write(body.decode(errors="replace") + "\n")
    return 0 if head.split(maxsplit=2)[1:2] == [b"200"] else 1


if __name__ == "__main__":
    sys.exit(main(*(sys.argv[1:] or ["/healthz"])))
