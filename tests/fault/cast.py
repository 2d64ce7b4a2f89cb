"""The services of a game: as a platform would, it starts them, ends them and starts them again."""

from contextlib import suppress

import psutil

from headcount.kcl.supervisor import EXIT_NOT_DRAINED
from tests.integration.service import Service
from tests.integration.sites import Site


class Cast:
    """Services on a `Site`, those that ended included; ``common``: settings of all."""

    def __init__(self, site: Site, common: dict[str, str]) -> None:
        self.site, self._common = site, common
        self.cast: list[Service] = []
        self.past: list[Service] = []
        self.in_doubt = 0
        self._settings: dict[Service, dict[str, str]] = {}

    def start(self, name: str, **settings: str) -> Service:
        """Start a service; it is of the cast until it ends."""
        service = self.site.start(name, **{**self._common, **settings})
        self.cast.append(service)
        self._settings[service] = settings
        return service

    def restart_who_gave_up(self) -> None:
        """Start again who gave up a worker id that was in doubt; nobody may end for another reason."""
        for service in [service for service in self.cast if service.exit_code() is not None]:
            assert service.exit_code() == EXIT_NOT_DRAINED, self.last_words()
            self.retire(service)
            self.start(service.name, **self._settings[service])
            self.in_doubt += 1

    def of(self, name: str) -> Service:
        """The last started service of that name."""
        return next(service for service in reversed(self.cast) if service.name == name)

    def end_all(self) -> None:
        """SIGTERM to every service; each must exit 0."""
        for service in reversed(self.cast):  # the pruner first: it is what writes on its own
            if service.exit_code() is None:
                assert self.end(service) == 0, self.last_words()

    def end(self, service: Service) -> int:
        """SIGTERM, and the exit code."""
        code = service.drain()
        self.retire(service)
        return code

    def retire(self, service: Service) -> None:
        """It is of the cast no more."""
        self.cast.remove(service)
        self.past.append(service)

    def family(self) -> list[tuple[str, psutil.Process]]:
        """Every process of the cast, and what it is."""
        found = []
        for service in self.cast:
            daemon = service.daemon()
            found.append((f"{service.name} supervisor", service.supervisor))
            found += [(f"{service.name} daemon", daemon)] if daemon else []
            found += [(f"{service.name} worker", worker) for worker in service.workers()]
        return found

    def log_sum(self, name: str, event: str, key: str) -> int:
        """``key`` of all log lines with that event, of all services of that name, added up."""
        services = [service for service in [*self.past, *self.cast] if service.name == name]
        return sum(line.get(key, 0) for service in services for line in service.log_lines(event))

    def last_words(self) -> str:
        """The ends of the services' logs."""
        tails = []
        for service in self.cast:
            with suppress(OSError):
                tails.append(f"{service.name}: " + "\n".join(service.log.read_text(errors="replace").splitlines()[-5:]))
        return "\n".join(tails)
