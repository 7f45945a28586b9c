import importlib
import json
import re
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest

from infra.local.layer import is_needed
from infra.local.package import MOST_UNZIPPED_BYTES, PYTHON_VERSION, run, sizes
from infra.local.packaging import Package
from infra.local.paths import ROOT
from tests.stack.test_template import CONFIG

TAG = "cpython-" + PYTHON_VERSION.replace(".", "")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """The real package, made as a person makes it: dependencies come from the package index."""
    out = tmp_path_factory.mktemp("package")
    assert run(out) == 0
    return Package(out)


@pytest.fixture(scope="module")
def template(package: Package) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(package.template.read_text())
    return made


def names(package: Package) -> list[str]:
    with zipfile.ZipFile(package.code) as code:
        return code.namelist()


def functions(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    resources = template["Resources"].items()
    return {name: each["Properties"] for name, each in resources if each["Type"] == "AWS::Serverless::Function"}


def test_it_says_its_size_and_how_to_go_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(tmp_path / "out")
    said = capsys.readouterr().out
    assert re.search(r"deployment\.zip: [\d.]+ MB, [\d.]+ MB unzipped", said)
    assert re.search(r"layer\.zip: [\d.]+ MB, [\d.]+ MB unzipped", said)
    assert "aws cloudformation package" in said
    assert "aws cloudformation deploy" in said


def test_a_folder_with_other_files_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(Exception, match=r"thesis\.txt"):
        run(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "precious"


def test_it_holds_the_application_and_its_data(package: Package) -> None:
    held = names(package)
    assert {"app.py", "chalicelib/api/routing.py", "chalicelib/datasets/members.yaml", "chalice/app.py"} <= set(held)
    assert any(name.startswith("chalicelib/adapters/postgres/sql/") for name in held)
    assert not [name for name in held if name.startswith(("infra/", "tests/", "boto3/")) or "__pycache__" in name]


def test_compiled_modules_are_for_the_functions_python(package: Package) -> None:
    compiled = [name for name in names(package) if name.endswith(".so") and ".cpython-" in name]
    assert len(compiled) >= 3  # psycopg2, pydantic_core, yaml
    assert [name for name in compiled if TAG not in name or "x86_64-linux" not in name] == []


def test_every_dependency_of_a_dependency_is_in_it(package: Package) -> None:
    with zipfile.ZipFile(package.code) as code:
        metadata = [
            Parser().parsestr(code.read(name).decode()) for name in names(package) if name.endswith("/METADATA")
        ]
    present = {_normal(each["Name"]) for each in metadata}
    needed = {
        _normal(re.split(r"[\s;<>=!~\[(]", requirement)[0])
        for each in metadata
        for requirement in each.get_all("Requires-Dist", [])
        if "extra ==" not in requirement
    }
    assert {"psycopg2-binary", "pydantic", "pyyaml"} <= present
    assert needed - present - {"backports-zoneinfo", "tzdata"} == set()


def test_every_function_has_its_own_role_and_the_right_python(template: dict[str, Any]) -> None:
    made = functions(template)
    assert {function["Runtime"] for function in made.values()} == {f"python{PYTHON_VERSION}"}
    roles = {function["Role"]["Fn::GetAtt"][0] for function in made.values()}
    assert len(roles) == len(made) == len(CONFIG["lambda_functions"])
    reaching = template["Resources"]["ReachDatabase"]["Properties"]["Roles"]
    assert sorted(role["Ref"] for role in reaching) == sorted(roles)
    assert template["Resources"]["BeTraced"]["Properties"]["Roles"] == reaching
    for role in roles:
        (policy,) = template["Resources"][role]["Properties"]["Policies"]
        assert policy["PolicyDocument"]["Statement"]


def test_who_reads_or_writes_parquet_alone_has_the_layer(template: dict[str, Any]) -> None:
    with_layers = {name: each["Layers"] for name, each in functions(template).items() if "Layers" in each}
    assert with_layers == {name: [{"Ref": "ConvertLayer"}] for name in ("Convert", "Export")}
    layer = template["Resources"]["ConvertLayer"]["Properties"]
    assert layer["CompatibleRuntimes"] == [f"python{PYTHON_VERSION}"]


def test_the_layer_is_where_the_template_says_and_fits_beside_the_code(
    package: Package, template: dict[str, Any]
) -> None:
    assert package.folder / template["Resources"]["ConvertLayer"]["Properties"]["ContentUri"] == package.layer
    with zipfile.ZipFile(package.layer) as layer:
        held = layer.infolist()
    assert {entry.filename.split("/")[1] for entry in held} >= {"pyarrow", "openpyxl", "et_xmlfile"}
    compiled = [entry.filename for entry in held if ".cpython-" in entry.filename]
    assert [name for name in compiled if TAG not in name] == []
    _, code = sizes(package)
    assert sum(entry.file_size for entry in held) + code < MOST_UNZIPPED_BYTES


def test_what_the_layer_leaves_out_is_not_missed(tmp_path: Path) -> None:
    for name in ("pyarrow", "openpyxl", "et_xmlfile"):
        source = Path(importlib.import_module(name).__file__ or "").parent
        for file in source.rglob("*"):
            path = f"{name}/{file.relative_to(source).as_posix()}"
            if file.is_file() and is_needed(path):
                (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / path).symlink_to(file)
    program = """
import io, os, sys
sys.path.insert(0, sys.argv[1])
import openpyxl, pyarrow, pyarrow.compute, pyarrow.parquet
assert pyarrow.__file__.startswith(sys.argv[1]) and openpyxl.__file__.startswith(sys.argv[1])
file = io.BytesIO()
table = pyarrow.table({"a": ["x", None]})
pyarrow.parquet.write_table(table, file, compression="zstd")
assert pyarrow.parquet.read_table(file).equals(table)
assert pyarrow.compute.sum(pyarrow.array([1, 2])).as_py() == 3
os._exit(0)
"""
    # Not by the interpreter's end, which Arrow's threads sometimes do not outlive; a Lambda's is frozen, never ended.
    done = subprocess.run([sys.executable, "-I", "-c", program, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_no_function_imports_the_layers_libraries_before_there_is_a_table_to_read() -> None:
    program = """
import sys
import app
from chalicelib.bootstrap import Container
from chalicelib.config import Settings
settings = {name: "x" for name in (
    "bucket intake_queue batch_queue convert_queue notify_queue export_queue fetch_queue webhook_queue "
    "database_url mail_from engineers public_url"
).split()}
Container(Settings(**settings, database_secret_arn=None)).intake
assert not {"pyarrow", "openpyxl"} & sys.modules.keys()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_nothing_in_the_template_depends_on_where_it_was_made(template: dict[str, Any]) -> None:
    text = json.dumps(template)
    assert "us-east-1" not in text
    assert "127.0.0.1" not in text


def test_the_template_is_small_enough_for_cloudformation(package: Package) -> None:
    assert package.template.stat().st_size < 1_000_000  # the limit for a template in S3, 1 MB


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
