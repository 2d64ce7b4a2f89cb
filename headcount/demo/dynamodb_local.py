"""AWS's own DynamoDB, to run without AWS: one database in memory for all regions and keys."""

from collections.abc import Sequence
from pathlib import Path

from headcount.demo.emulator import Emulator
from headcount.kcl.java import runtime


class DynamoDbLocal(Emulator):
    """DynamoDB Local from the folder that `python -m headcount.kcl.java.build --dynamodb-local DIR` made."""

    name = "DynamoDB Local"

    def __init__(self, directory: Path, *, heap_megabytes: int = 256) -> None:
        super().__init__()
        self._heap = f"-Xmx{heap_megabytes}m"
        self._jars = directory.resolve()
        if not (self._jars / "stamp").is_file():
            raise FileNotFoundError(
                f"no DynamoDB Local here: run `python -m headcount.kcl.java.build --dynamodb-local {directory}`"
            )

    def command(self) -> Sequence[str | Path]:
        """Small, unless told: a test's tables are."""
        java = runtime.java()
        heap = [self._heap, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        classes = [f"-Djava.library.path={self._jars}", "-cp", f"{self._jars}/*"]
        server = ["com.amazonaws.services.dynamodbv2.local.main.ServerRunner", "-inMemory", "-sharedDb"]
        options = ["-disableTelemetry", "-port", str(self.port)]
        return [java, *heap, *runtime.warning_free(java), *classes, *server, *options]
