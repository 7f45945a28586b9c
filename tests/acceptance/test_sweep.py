"""The deployed sweep, with the rights that its policy gives it."""

import json
from typing import Any

import boto3
import pytest
from botocore.config import Config

from infra.local.stack import SCHEDULED_EVENT
from tests.acceptance.doors import Doors
from tests.acceptance.files import demo_file

pytestmark = pytest.mark.stack


def test_the_sweep_may_do_all_that_it_does(doors: Doors, stack: dict[str, Any]) -> None:
    doors.ended(doors.drop("listed.csv", demo_file(405, 2).data))
    access = {
        "endpoint_url": stack["aws_endpoint_url"],
        "aws_access_key_id": stack["aws_access_key_id"],
        "aws_secret_access_key": stack["aws_secret_access_key"],
        "region_name": stack["region"],
    }
    outputs = boto3.client("cloudformation", **access).describe_stacks(StackName="dropload")["Stacks"][0]["Outputs"]
    [function] = [each["OutputValue"] for each in outputs if each["OutputKey"] == "SweepFunction"]
    functions = boto3.client("lambda", **access, config=Config(read_timeout=120))
    answer = functions.invoke(FunctionName=function, Payload=json.dumps(SCHEDULED_EVENT))
    assert "FunctionError" not in answer, answer["Payload"].read()
