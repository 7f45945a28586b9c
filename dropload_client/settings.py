"""Which deployment is meant, and by which key: said in the command, the environment or a file, in this order."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

URL, KEY = "DROPLOAD_URL", "DROPLOAD_API_KEY"


class Settings(NamedTuple):
    """Where the API is, and what opens it."""

    url: str
    key: str


class NotSet(Exception):
    """It was not said; the message says how to."""


def settings_file(environment: Mapping[str, str] = os.environ) -> Path:
    """Where ``dropload login`` leaves what it was told."""
    base = environment.get("XDG_CONFIG_HOME") or environment.get("APPDATA") or str(Path.home() / ".config")
    return Path(base) / "dropload" / "config.json"


def find_settings(url: str | None, key: str | None, environment: Mapping[str, str] = os.environ) -> Settings:
    """What applies. Raises NotSet.

    A key that the file has is for the URL that the file has, and is not sent to any other.
    """
    file = settings_file(environment)
    kept: dict[str, str] = {}
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        pass
    except (OSError, ValueError):
        raise NotSet(f"{file} cannot be read: say `dropload login` again") from None
    url = (url or environment.get(URL) or kept.get("url") or "").rstrip("/")
    if not url:
        raise NotSet(f"which deployment? Say `dropload login`, or give --url, or set {URL}")
    key = key or environment.get(KEY) or (kept.get("key") if kept.get("url") == url else None)
    if not key:
        raise NotSet(f"no API key for {url}: say `dropload login`, or give --key, or set {KEY}")
    return Settings(url, key)


def save_settings(settings: Settings, environment: Mapping[str, str] = os.environ) -> Path:
    """Keep them in the file, readable by its owner only; the file. Raises OSError."""
    file = settings_file(environment)
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=file.parent)  # 0600 from the start
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        json.dump({"url": settings.url, "key": settings.key}, opened)
    Path(temporary).replace(file)
    return file
