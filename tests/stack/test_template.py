import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.packaging import read_template
from infra.local.paths import ROOT
from infra.local.stack import PARAMETERS

POLICIES = sorted((ROOT / "infra" / "policies").glob("*.json"))
TAKE_NO_RESOURCE = {  # what AWS allows for no narrower resource
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
CONSUMERS = {  # queue: the parameters of its consumer
    "IntakeQueue": "Split",
    "BatchQueue": "Load",
    "ConvertQueue": "Convert",
    "NotifyQueue": "Notify",
    "ExportQueue": "Export",
    "FetchQueue": "Fetch",
    "WebhookQueue": "Deliver",
    "IntakeDeadLetters": "Bury",
    "BatchDeadLetters": "Bury",
    "ExportDeadLetters": "Bury",
}

TEMPLATE = read_template()
RESOURCES = TEMPLATE["Resources"]
CONFIG = json.loads((ROOT / ".chalice" / "config.json").read_text())["stages"]["prod"]


def statements(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The statements of a policy, those under a condition included."""
    for statement in document["Statement"]:
        yield statement["Fn::If"][1] if "Fn::If" in statement else statement


def all_statements() -> Iterator[tuple[str, dict[str, Any]]]:
    for file in POLICIES:
        for statement in statements(json.loads(file.read_text())):
            yield file.stem, statement
    for name, resource in RESOURCES.items():
        if "PolicyDocument" in resource.get("Properties", {}):
            for statement in statements(resource["Properties"]["PolicyDocument"]):
                yield name, statement


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_no_policy_allows_more_than_named_actions_on_named_resources() -> None:
    for where, statement in all_statements():
        for action in as_list(statement["Action"]):
            assert "*" not in action, (where, action)
        if "*" in as_list(statement["Resource"]):
            assert set(as_list(statement["Action"])) <= TAKE_NO_RESOURCE, (where, statement)


def test_functions_reach_only_their_own_folders_of_the_bucket() -> None:
    folders = ("/input/*", "/error/*", "/archive/*", "/staging/*", "/output/*", "/input/*/redrive/*")
    for where, statement in all_statements():
        if statement["Sid"] == "ReadSources":  # other buckets, as the operator says
            assert where == "fetch"
            continue
        for action in as_list(statement["Action"]):
            if action.startswith("s3:") and action not in ("s3:ListBucket", "s3:ListBucketVersions"):
                path = statement["Resource"]["Fn::Sub"].rpartition("${AWS::Region}")[2]
                if where == "fetch" and path == ("/*" if "Get" in action else "/input/*/fetch=*"):
                    continue
                assert path in folders, (where, action)
                assert path != "/output/*" or where in ("export", "api_handler"), (where, action)
                assert where != "export" or path == "/output/*", (where, action)
                grants = statement["Sid"] == "GrantUploads" and where == "api_handler"  # to others, for one key each
                assert grants or not (path == "/input/*" and "Put" in action), (where, action)
                assert not (path == "/archive/*" and "Get" in action), (where, action)


def test_other_buckets_are_read_only_where_the_operator_names_them() -> None:
    policy = json.loads((ROOT / "infra" / "policies" / "fetch.json").read_text())
    [conditional] = [statement["Fn::If"] for statement in policy["Statement"] if "Fn::If" in statement]
    assert conditional[0] == "HasSourceBuckets"
    assert conditional[2] == {"Ref": "AWS::NoValue"}
    assert all(action.startswith("s3:GetObject") for action in conditional[1]["Action"])
    assert '{"Ref": "SourceBuckets"}' in json.dumps(conditional[1]["Resource"])


def test_every_parameter_has_a_type_and_says_what_it_is() -> None:
    for name, parameter in TEMPLATE["Parameters"].items():
        assert parameter["Type"] in ("String", "Number", "CommaDelimitedList"), name
        assert parameter["Description"], name


def test_the_page_alone_may_use_the_bucket_from_a_browser() -> None:
    [rule] = RESOURCES["Bucket"]["Properties"]["CorsConfiguration"]["CorsRules"]
    assert "PublicUrl" in json.dumps(rule["AllowedOrigins"])
    assert "*" not in rule["AllowedOrigins"]
    assert set(rule["AllowedMethods"]) == {"GET", "HEAD", "POST", "PUT"}


def test_nothing_is_deleted_but_versions_of_what_was_dropped_and_of_error_files_with_erased_records() -> None:
    for where, statement in all_statements():
        for action in as_list(statement["Action"]):
            if "Delete" in action and action.startswith("s3:"):
                assert action == "s3:DeleteObjectVersion", where
                folder = "/error/*" if statement["Sid"].startswith("Erase") else "/input/*"
                assert statement["Resource"]["Fn::Sub"].endswith(folder), where


def test_whoever_may_finish_a_job_may_put_its_file_away() -> None:
    for name in ("split", "convert", "load", "fetch", "bury_intake", "bury_batch", "sweep"):
        policy = json.loads((ROOT / "infra" / "policies" / f"{name}.json").read_text())
        sids = {statement["Sid"] for statement in statements(policy)}
        assert sids >= {"WriteResults", "ReadInput", "TellMissingFromForbidden", "DeleteLoaded", "Archive"}, name


def test_whoever_may_finish_a_job_may_tell_of_it_and_hand_its_replay_on() -> None:
    # bury_batch gives a replay up; what calls off or redrives a job that waits for another try ends it
    for name in ("split", "convert", "load", "fetch", "bury_intake", "sweep", "api_handler"):
        policy = json.loads((ROOT / "infra" / "policies" / f"{name}.json").read_text())
        [send] = [statement for statement in statements(policy) if statement["Sid"] == "Send"]
        queues = {resource["Fn::GetAtt"][0] for resource in as_list(send["Resource"])}
        assert queues >= {"BatchQueue", "NotifyQueue", "WebhookQueue"}, name


def test_every_function_has_a_policy_of_its_own_and_none_is_left_over() -> None:
    assert CONFIG["autogen_policy"] is False
    given = {name: settings["iam_policy_file"] for name, settings in CONFIG["lambda_functions"].items()}
    assert given == {file.stem: f"../infra/policies/{file.name}" for file in POLICIES}


@pytest.mark.parametrize(("queue", "consumer"), CONSUMERS.items())
def test_a_message_stays_hidden_for_six_times_its_functions_timeout(queue: str, consumer: str) -> None:
    assert RESOURCES[queue]["Properties"]["VisibilityTimeout"] == {"Ref": f"{consumer}Visibility"}
    defaults = {name: TEMPLATE["Parameters"][consumer + name]["Default"] for name in ("Timeout", "Visibility")}
    assert defaults["Visibility"] >= 6 * defaults["Timeout"]


@pytest.mark.parametrize("function", ["Split", "Load", "Convert", "Notify", "Export", "Fetch", "Deliver", "Bury"])
def test_locally_a_message_is_hidden_as_long_as_its_function_may_run(function: str) -> None:
    assert int(PARAMETERS[f"{function}Visibility"]) >= int(PARAMETERS[f"{function}Timeout"])


@pytest.mark.parametrize(
    "queue", ["IntakeQueue", "BatchQueue", "ConvertQueue", "NotifyQueue", "ExportQueue", "FetchQueue", "WebhookQueue"]
)
def test_what_fails_five_times_is_kept_for_two_weeks(queue: str) -> None:
    redrive = RESOURCES[queue]["Properties"]["RedrivePolicy"]
    assert redrive["maxReceiveCount"] == 5
    dead_letters = redrive["deadLetterTargetArn"]["Fn::GetAtt"][0]
    assert RESOURCES[dead_letters]["Properties"]["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_the_bucket_is_versioned_private_and_encrypted_and_outlives_the_stack() -> None:
    bucket = RESOURCES["Bucket"]
    assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"
    assert bucket["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    assert "BucketEncryption" in bucket["Properties"]


def test_only_our_bucket_may_announce_objects() -> None:
    (statement,) = RESOURCES["IntakeQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "s3.amazonaws.com"}
    source = statement["Condition"]["ArnEquals"]["aws:SourceArn"]["Fn::Sub"]
    assert source.endswith(":s3:::" + RESOURCES["Bucket"]["Properties"]["BucketName"]["Fn::Sub"])


def test_the_gateways_own_answers_are_problems() -> None:
    for name, response in RESOURCES["RestAPI"]["Properties"]["GatewayResponses"].items():
        assert response["ResponseParameters"]["Headers"]["Content-Type"] == "'application/problem+json'", name
        body = response["ResponseTemplates"]["application/json"].replace("$context.error.messageString", '"why"')
        problem = json.loads(body)
        assert {"type", "title", "code", "detail"} <= set(problem), name
        assert problem.get("status") == response.get("StatusCode"), name
