"""The ``package`` command: what AWS gets, with the dependencies that its Python needs."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from infra.local.errors import StackError
from infra.local.layer import make_layer
from infra.local.packaging import Package, copy_project, make_package
from infra.local.paths import ROOT

PYTHON_VERSION = "3.13"
"""Of the functions; the template says the same."""
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
"""What Lambda's Amazon Linux 2023 runs on x86-64 (glibc 2.34), the newest first."""
MOST_UNZIPPED_BYTES = 250 * 1024 * 1024
MB = 1024 * 1024


def run(out: Path) -> int:
    """Make the package in ``out``, which is emptied first, and say how to deploy it. Returns the exit code.

    Raises StackError when a dependency has no wheel for the functions' Python, or the package is too large.
    """
    _clear(out)
    project = out / "project"
    copy_project(project)
    _install("requirements.txt", project / "vendor")
    package = make_package(project, out)
    _install("requirements-convert.txt", project / "layer")
    layer = make_layer(project / "layer", package.layer)
    shutil.rmtree(project)
    zipped, unzipped = sizes(package)
    if unzipped + layer.unzipped > MOST_UNZIPPED_BYTES:
        whole = f"{unzipped / MB:.1f} MB unzipped, and its layer {layer.unzipped / MB:.1f} MB"
        raise StackError(f"{whole}: Lambda takes at most {MOST_UNZIPPED_BYTES // MB} MB")
    print(f"{package.code}: {zipped / MB:.1f} MB, {unzipped / MB:.1f} MB unzipped, for Python {PYTHON_VERSION}")
    print(f"{layer.path}: {layer.zipped / MB:.1f} MB, {layer.unzipped / MB:.1f} MB unzipped, for Parquet and Excel")
    print(f"\nGo on with:\n{next_commands(package)}")
    return 0


def sizes(package: Package) -> tuple[int, int]:
    """Bytes of the code, zipped and unzipped."""
    with zipfile.ZipFile(package.code) as code:
        return package.code.stat().st_size, sum(entry.file_size for entry in code.infolist())


def next_commands(package: Package) -> str:
    """The AWS commands that deploy the package."""
    packaged = package.folder / "packaged.json"
    return (
        f"  aws cloudformation package --template-file {package.template} --use-json \\\n"
        f"      --s3-bucket <a bucket for code> --output-template-file {packaged}\n"
        f"  aws cloudformation deploy --template-file {packaged} --stack-name dropload \\\n"
        "      --capabilities CAPABILITY_IAM CAPABILITY_AUTO_EXPAND --parameter-overrides \\\n"
        "      DatabaseSecretArn=<arn> MailFrom=<address> Engineers=<addresses> PublicUrl=<https://...>\n"
        "  aws lambda invoke --function-name <its output MigrateFunction> /dev/stdout"
    )


def _clear(out: Path) -> None:
    """Empty the folder, unless it holds something that is no package."""
    if out.exists():
        ours = {"deployment.zip", "layer.zip", "sam.json", "packaged.json", "project"}
        strangers = {entry.name for entry in out.iterdir()} - ours
        if strangers:
            raise StackError(f"{out} has other files in it ({', '.join(sorted(strangers)[:3])}); choose another --out")
        shutil.rmtree(out)
    out.mkdir(parents=True)


def _install(requirements: str, folder: Path) -> None:
    """Install requirements of the functions into ``folder``, whose content goes to AWS as it is.

    Not by chalice: it takes the Python that packages for the functions' one, and leaves out what it finds no wheel
    for; pip fails then.
    """
    platforms = [part for platform in PLATFORMS for part in ("--platform", platform)]
    command = [
        *(
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-compile",
            "--no-deps",
        ),
        *("--only-binary", ":all:", "--implementation", "cp", "--python-version", PYTHON_VERSION, *platforms),
        *("--target", str(folder), "--requirement", str(ROOT / requirements)),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise StackError(f"the functions' {requirements} cannot be installed:\n{done.stderr.strip()}")
