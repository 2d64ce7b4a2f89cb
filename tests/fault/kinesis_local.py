"""kinesis-local, which LocalStack bundles: a Kinesis whose splits and merges keep the parents' records."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from headcount.demo.emulator import Emulator
from headcount.kcl.java.build import replace_folder
from tests.integration.service import free_port

ROOT = Path(__file__).resolve().parents[2]
LOCKED, INSTALLED = ROOT / "requirements" / "kinesis-local", ROOT / ".cache" / "kinesis-local"
NOT_TESTED = "NOT TESTED: resharding, for want of node and npm"
INSTALL_SECONDS = 300


def is_to_be_had() -> bool:
    """Whether what installs and runs it is there."""
    return shutil.which("node") is not None and shutil.which("npm") is not None


def install() -> None:
    """Bring it from the npm registry, by the lock file's hash, unless it is there."""
    files = [LOCKED / name for name in ("package.json", "package-lock.json")]
    stamp = "".join(file.read_text() for file in files)
    if (INSTALLED / "stamp").is_file() and (INSTALLED / "stamp").read_text() == stamp:
        return

    def fill(folder: Path) -> None:
        for file in files:
            shutil.copy(file, folder)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=INSTALL_SECONDS)

    replace_folder(INSTALLED, stamp, fill)


class KinesisLocal(Emulator):
    """Bears some 50 records a second."""

    name = "kinesis-local"
    health_path = "/healthcheck"

    def __init__(self) -> None:
        super().__init__()
        # It reads a certificate from the folder that it is started in.
        shutil.copy(INSTALLED / "node_modules" / "kinesis-local" / "server.json", self.directory)
        self._other_port = free_port()

    def command(self) -> Sequence[str | Path]:
        """In a folder of its own."""
        main = INSTALLED / "node_modules" / "kinesis-local" / "main.js"
        return ["env", "--chdir", self.directory, "node", main]

    def environment(self) -> Mapping[str, str]:
        """Its ports, and no more delay than it must have."""
        durations = ("CREATE_STREAM", "SPLIT_SHARD", "MERGE_SHARDS")
        return {
            **os.environ,
            **{f"{duration}_DURATION": "100ms" for duration in durations},
            "KINESIS_MOCK_PLAIN_PORT": str(self.port),
            "KINESIS_MOCK_TLS_PORT": str(self._other_port),
            "LOG_LEVEL": "WARN",
        }
