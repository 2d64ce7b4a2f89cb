"""The whole of AWS that we use, in Python: MiniStack, which KCL can't tell from Kinesis."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from headcount.demo.emulator import Emulator

SERVICES = ("cloudwatch", "dynamodb", "dynamodbstreams", "kinesis", "s3", "sqs", "sts")


class MiniStack(Emulator):
    """MiniStack with the services named, in memory."""

    name = "MiniStack"
    health_path = "/_ministack/health"

    def __init__(self, services: Sequence[str] = SERVICES, region: str = "us-east-1") -> None:
        super().__init__()
        self._services = services
        self._region = region

    def command(self) -> Sequence[str | Path]:
        """The package's own main, mended."""
        return [sys.executable, "-m", "headcount.demo.ministack_server"]

    def environment(self) -> Mapping[str, str]:
        """Ours without what would make it persist or check signatures."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "MINISTACK_", "LOCALSTACK_", "S3_"))
            and name not in {"AUTH", "PERSIST_STATE", "USE_SSL", "EDGE_PORT", "SFTP_ENABLED"}
        }
        folder = str(self.directory)
        return inherited | {
            "GATEWAY_PORT": str(self.port),
            "BIND_HOST": "127.0.0.1",
            "SERVICES": ",".join(self._services),
            "MINISTACK_REGION": self._region,
            "LOG_LEVEL": "WARNING",
            "TMPDIR": folder,
            "STATE_DIR": f"{folder}/state",
            "S3_DATA_DIR": f"{folder}/s3",
        }
