"""What a container may do, and how it is set up."""

import pytest

from tests.system import engine

OURS = (*engine.SERVICES, "setup")
JAVA = "/opt/java/bin/java"
COMPILERS = ["/opt/java/bin/javac", "/usr/bin/javac", "/usr/bin/gcc", "/usr/bin/cc"]


@pytest.mark.parametrize("service", engine.SERVICES)
def test_every_container_is_healthy(service: str) -> None:
    engine.await_healthy(service)


@pytest.mark.parametrize("service", OURS)
def test_a_container_has_no_more_rights_than_it_needs(service: str) -> None:
    """Not root, a root file system that can't be written to, no capabilities, limits, ports nowhere but on loopback."""
    for container in engine.containers(service, running=False):
        found = engine.inspect(container)
        host = found["HostConfig"]
        assert found["Config"]["User"] == "10001:10001"
        assert host["ReadonlyRootfs"]
        assert host["CapDrop"] == ["ALL"]
        assert "no-new-privileges:true" in host["SecurityOpt"]
        assert host["Memory"] > 0
        assert host["NanoCpus"] > 0
        assert not host["Privileged"]


def test_ports_are_bound_to_loopback_only() -> None:
    bound = [
        binding["HostIp"]
        for service in engine.compose("ps", "--services").split()
        for container in engine.containers(service)
        for bindings in engine.inspect(container)["HostConfig"]["PortBindings"].values()
        for binding in bindings
    ]
    assert set(bound) == {"127.0.0.1"}


@pytest.mark.parametrize("service", engine.SERVICES)
def test_the_installed_wheel_runs_not_a_source_tree(service: str) -> None:
    [container, *_] = engine.containers(service)
    where = f"import {service}, headcount; print({service}.__file__, headcount.__file__)"
    for path in engine.docker("exec", container, "python", "-c", where).split():
        assert path.startswith("/opt/headcount/lib/")


@pytest.mark.parametrize(
    ("service", "found"), [("consumer", [JAVA]), ("level_aggregator", [JAVA]), ("pruner", []), ("game_map", [])]
)
def test_only_what_runs_the_kcl_has_a_java_and_nothing_has_a_compiler(service: str, found: list[str]) -> None:
    [container, *_] = engine.containers(service)
    seek = f"import os; print(*[path for path in {[JAVA, *COMPILERS]} if os.path.exists(path)])"
    assert engine.docker("exec", container, "python", "-c", seek).split() == found
