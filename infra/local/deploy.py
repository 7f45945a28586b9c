"""Deploys the package to the emulator as one would to AWS: code to a bucket, template to CloudFormation."""

import hashlib
import json
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from infra.local.emulated import for_emulator
from infra.local.emulator import Access
from infra.local.errors import StackError
from infra.local.packaging import SOURCES, Package, copy_project, make_package
from infra.local.paths import ROOT

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_s3 import S3Client

STACK = "dropload"
CODE_BUCKET = "dropload-code"
TIMEOUT_SECONDS = 120
FUNCTIONS_LOG = "functions.log"
"""What all functions log, in the state's folder of logs."""
_GOOD = ("CREATE_COMPLETE", "UPDATE_COMPLETE")
_BROKEN = ("CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED")
"""States out of which a stack can only be deleted."""


@dataclass(frozen=True)
class Deployed:
    """A stack that is in place: what it tells of itself, and whether anything had to be changed."""

    outputs: Mapping[str, str]
    changed: bool


def build_package(state: Path) -> Package:
    """The package of this tree's code: without dependencies, which the emulator's Python has, and made anew only
    when the code has changed. Its folder is named by the digest of the code."""
    folder = state / "package" / _digest()
    if not folder.exists():
        shutil.rmtree(folder.parent, ignore_errors=True)
        unfinished = folder.with_suffix(".part")
        copy_project(unfinished / "project")
        make_package(unfinished / "project", unfinished)
        unfinished.rename(folder)
    return Package(folder)


def deploy(state: Path, access: Access, parameters: Mapping[str, str]) -> Deployed:
    """Bring the emulator's stack up to the code and template of this tree.

    Raises StackError with CloudFormation's reasons when it cannot.
    """
    package = build_package(state)
    session = access.session()
    template_url = _upload(
        session.client("s3", endpoint_url=access.endpoint_url),
        access,
        package,
        parameters,
        state / "log" / FUNCTIONS_LOG,
    )
    cloudformation = session.client("cloudformation", endpoint_url=access.endpoint_url)
    arguments: dict[str, Any] = {
        "StackName": STACK,
        "TemplateURL": template_url,
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    }
    status = _status(cloudformation)
    if status in _BROKEN:
        cloudformation.delete_stack(StackName=STACK)
        status = _wait(cloudformation)
    if status is None:
        cloudformation.create_stack(**arguments)
        changed = True
    else:
        changed = _update(cloudformation, arguments)
    if _wait(cloudformation) not in _GOOD:
        raise StackError(f"the emulator could not deploy the stack:\n{_reasons(cloudformation)}")
    outputs = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["Outputs"]
    return Deployed({output["OutputKey"]: output["OutputValue"] for output in outputs}, changed)


def _digest() -> str:
    digest = hashlib.sha256()
    for source in (ROOT / name for name in SOURCES):
        files = [source] if source.is_file() else sorted(source.rglob("*"))
        for file in files:
            if file.is_file() and file.suffix not in (".pyc", ".pyo"):
                digest.update(f"{file.relative_to(ROOT)}\0{file.stat().st_size}\0".encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()[:32]


def _upload(s3: "S3Client", access: Access, package: Package, parameters: Mapping[str, str], log_file: Path) -> str:
    """Upload code and template under names that change with them, and return the template's URL."""
    code_key, template_key = f"{package.folder.name}.zip", f"{package.folder.name}.json"
    with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=CODE_BUCKET)
    s3.put_object(Bucket=CODE_BUCKET, Key=code_key, Body=package.code.read_bytes())
    code = {"Bucket": CODE_BUCKET, "Key": code_key}
    template = for_emulator(json.loads(package.template.read_text()), parameters, code, log_file.resolve())
    s3.put_object(Bucket=CODE_BUCKET, Key=template_key, Body=json.dumps(template).encode())
    return f"{access.endpoint_url}/{CODE_BUCKET}/{template_key}"


def _update(cloudformation: "CloudFormationClient", arguments: dict[str, Any]) -> bool:
    """Begin an update; False if there is nothing to do."""
    try:
        cloudformation.update_stack(**arguments)
    except ClientError as error:
        if "No updates are to be performed" in str(error):
            return False
        raise
    return True


def _status(cloudformation: "CloudFormationClient") -> str | None:
    """The stack's state, None if there is no stack."""
    try:
        return cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise


def _wait(cloudformation: "CloudFormationClient") -> str | None:
    """Wait until nothing is going on and return the stack's state."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while (status := _status(cloudformation)) is not None and status.endswith("_IN_PROGRESS"):
        if time.monotonic() > deadline:
            raise StackError(f"the emulator still deploys after {TIMEOUT_SECONDS} seconds: {status}")
        time.sleep(0.1)
    return status


def _reasons(cloudformation: "CloudFormationClient") -> str:
    events = cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]
    failed = [event for event in events if event.get("ResourceStatus", "").endswith("FAILED")]
    lines = [f"  {event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason')}" for event in failed]
    return "\n".join(reversed(lines)) or "  (no event says why)"
