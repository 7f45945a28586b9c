"""The template as the emulator needs it. Each difference from what AWS takes stands here, with its reason."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def for_emulator(
    template: dict[str, Any], parameters: Mapping[str, str], code: Mapping[str, str], log_file: Path
) -> dict[str, Any]:
    """The packaged template with its code at ``code`` (an S3 bucket and key), changed in place.

    ``parameters`` are those that the stack is created with.
    """
    # The emulator runs functions in our own environment, which has the layer's libraries; AWS's has not. Copying them
    # at each start would take longer than all the rest.
    del template["Resources"]["ConvertLayer"]
    variables = template["Globals"]["Function"]["Environment"]["Variables"]
    for name, value in variables.items():
        if isinstance(value, dict) and "Fn::Join" in value:
            # Of a list that is a parameter the emulator would join the characters.
            variables[name] = parameters.get(value["Fn::Join"][1]["Ref"], "")
    # It keeps what functions log, but nobody has its console: here a person reads it in a file, beside the others.
    variables["DROPLOAD_LOG_FILE"] = str(log_file)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            _function(resource["Properties"], parameters, code)
        elif resource["Type"] == "AWS::IAM::Role":
            for policy in resource["Properties"]["Policies"]:
                for statement in policy["PolicyDocument"]["Statement"]:
                    _widen(statement["Fn::If"][1] if "Fn::If" in statement else statement)
    return template


def _function(properties: dict[str, Any], parameters: Mapping[str, str], code: Mapping[str, str]) -> None:
    properties["CodeUri"] = dict(code)  # what `aws cloudformation package` does
    properties.pop("Layers", None)
    for source in properties.get("Events", {}).values():
        scaling = source["Properties"].get("ScalingConfig", {})
        reference = scaling.get("MaximumConcurrency")
        if isinstance(reference, dict):
            # CloudFormation makes a number of a parameter; the emulator would go on with its text, and poll no more.
            scaling["MaximumConcurrency"] = int(parameters[reference["Ref"]])


def _widen(statement: dict[str, Any]) -> None:
    """What the emulator's judgement of a policy lacks."""
    if statement["Action"] == "sqs:SendMessage":
        # On AWS this is the right to SendMessageBatch too; the emulator asks for that by its name.
        statement["Action"] = ["sqs:SendMessage", "sqs:SendMessageBatch"]
    elif statement["Action"] == "ses:SendRawEmail":
        # The emulator knows neither the identity nor the sender of a raw mail.
        statement["Resource"] = "*"
        del statement["Condition"]
