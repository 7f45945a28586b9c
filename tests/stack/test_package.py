import json
import re
import zipfile
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest

from infra.local.package import PYTHON_VERSION, run
from infra.local.packaging import Package
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
    assert "aws cloudformation package" in said
    assert "aws cloudformation deploy" in said


def test_a_folder_with_other_files_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(Exception, match=r"thesis\.txt"):
        run(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "precious"


def test_it_holds_the_application_and_its_data(package: Package) -> None:
    held = names(package)
    assert {"app.py", "chalicelib/bootstrap.py", "chalicelib/datasets/members.yaml", "chalice/app.py"} <= set(held)
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
    for role in roles:
        (policy,) = template["Resources"][role]["Properties"]["Policies"]
        assert policy["PolicyDocument"]["Statement"]


def test_nothing_in_the_template_depends_on_where_it_was_made(template: dict[str, Any]) -> None:
    text = json.dumps(template)
    assert "us-east-1" not in text
    assert "127.0.0.1" not in text


def test_the_template_is_small_enough_for_cloudformation(package: Package) -> None:
    assert package.template.stat().st_size < 1_000_000  # the limit for a template in S3, 1 MB


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
