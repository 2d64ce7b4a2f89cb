"""Where the demo's map is served."""

import socket

from headcount.demo.fleet import free_port


def test_a_port_is_kept_if_nobody_has_it() -> None:
    with socket.socket() as holder:  # keeps it from other processes; `free_port` sees no server there
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        wanted: int = holder.getsockname()[1]
        assert free_port(wanted) == wanted


def test_a_port_that_was_just_in_use_is_free_again() -> None:
    """A killed map's clients have not all noticed when the next one starts."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        answered, _ = server.accept()
    with client, answered:
        assert free_port(port) == port


def test_another_port_is_taken_where_somebody_has_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken: int = server.getsockname()[1]
        assert free_port(taken) not in {0, taken}
