"""The object store as a process of its own, and what it costs."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from infra.local.paths import ROOT

BUCKET = "bench"


@dataclass
class ObjectStore:
    """An S3 on loopback, on ``folder``; to be used as a context."""

    folder: Path
    url: str = ""
    _process: "subprocess.Popen[str] | None" = None

    def __enter__(self) -> Self:
        (self.folder / BUCKET).mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "benchmarks.objects", str(self.folder)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        port = self._process.stdout.readline().strip()
        if not port:
            raise RuntimeError("the object store does not start")
        self.url = f"http://127.0.0.1:{port}"
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.communicate(timeout=10)

    @property
    def environment(self) -> dict[str, str]:
        """What leads boto3 there."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def path(self, key: str) -> Path:
        """Where an object lies; its folders are made."""
        path = self.folder / BUCKET / key
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def cpu_seconds(self) -> float:
        """CPU that the store has taken so far."""
        assert self._process is not None
        times = psutil.Process(self._process.pid).cpu_times()
        return float(times.user + times.system)
