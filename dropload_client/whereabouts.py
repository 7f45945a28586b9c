"""What became of an object, as a person reads it."""

from typing import Any

LOADED = ("loaded", "loaded-with-failures")


def said(found: dict[str, Any]) -> list[str]:
    """The lines that a person reads."""
    lines = [f"{found['code']}: {found['explanation']}"]
    lines += [found["advice"]] if found["advice"] else []
    for job in found["jobs"]:
        version = " (another version)" if job["id"] in found["superseded"] else ""
        lines.append(f"  {job['created_at']}  {job['id']}  {job['state']}{version}")
    return lines
