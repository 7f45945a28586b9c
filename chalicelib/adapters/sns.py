"""SNS: JSON messages to one topic."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.adapters.aws import calling, client, error_code
from chalicelib.core.mailtext import one_line
from chalicelib.errors import Terminal

_REFUSALS = {"NotFound", "InvalidParameter", "InvalidParameterValue"}
_FILTERED = ("type", "dataset", "state")  # by which subscribers may choose, without reading messages


class SnsTopic:
    """See ``services.post_ports.Topic``."""

    def __init__(self, arn: str) -> None:
        self._arn = arn

    def publish(self, event: Mapping[str, Any]) -> None:
        attributes = {
            name: {"DataType": "String", "StringValue": one_line(str(event[name]))} for name in _FILTERED if event[name]
        }
        with calling("publishing an event"):
            try:
                client("sns").publish(TopicArn=self._arn, Message=json.dumps(event), MessageAttributes=attributes)
            except ClientError as error:
                if error_code(error) in _REFUSALS:
                    raise Terminal("event-refused", f"publishing an event: {error_code(error)}") from None
                raise
