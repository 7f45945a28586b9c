"""The triggers and routes of dropload, and nothing else: each is one call into a service.

Read on from here: ``chalicelib/services`` holds the order of effects, ``chalicelib/core`` the rules,
``chalicelib/adapters`` the database and AWS, ``chalicelib/bootstrap`` how they are put together.
Messages come one at a time (batch size 1), so a message that fails is the only one to be delivered again.
"""

from collections.abc import Callable
from typing import Any

from chalice import Chalice, Rate
from chalice.app import CloudWatchEvent, SQSEvent

from chalicelib.api import register
from chalicelib.bootstrap import container, prepare
from chalicelib.invocations import observe

app = Chalice(app_name="dropload", configure_logs=False)
observe(app)
register(app)
prepare()


def seconds_left(event: SQSEvent | CloudWatchEvent) -> Callable[[], float]:
    """What tells how long this invocation may still take."""
    context: Any = event.context
    return lambda: context.get_remaining_time_in_millis() / 1000


@app.on_sqs_message(queue="dropload-intake", batch_size=1)
def split(event: SQSEvent) -> None:
    """An object was created, or a split goes on."""
    for message in event:
        with container().intake.retried(message.to_dict()):
            container().intake.split(message.body, seconds_left(event))


@app.on_sqs_message(queue="dropload-batches", batch_size=1)
def load(event: SQSEvent) -> None:
    """A batch is to be loaded."""
    for message in event:
        with container().intake.retried(message.to_dict()):
            container().intake.load(message.body, seconds_left(event))


@app.on_sqs_message(queue="dropload-convert", batch_size=1)
def convert(event: SQSEvent) -> None:
    """A workbook or Parquet file is to be made into batches. This function alone has the libraries for it."""
    for message in event:
        with container().intake.retried(message.to_dict()):
            container().intake.convert(message.body, seconds_left(event))


@app.on_sqs_message(queue="dropload-notify", batch_size=1)
def notify(event: SQSEvent) -> None:
    """The outbox holds something."""
    for message in event:
        with container().intake.retried(message.to_dict()):
            container().notify.run(seconds_left(event))


@app.on_sqs_message(queue="dropload-export", batch_size=1)
def export(event: SQSEvent) -> None:
    """A dataset is to be written out, or goes on being."""
    for message in event:
        with container().intake.retried(message.to_dict()):
            container().intake.export(message.body, seconds_left(event))


@app.on_sqs_message(queue="dropload-fetch", batch_size=1)
def fetch(event: SQSEvent) -> None:
    """A job's file is to be fetched from elsewhere."""
    for message in event:
        with container().intake.retried(message.to_dict()):
            container().intake.fetch(message.body, seconds_left(event))


@app.on_sqs_message(queue="dropload-webhooks", batch_size=1)
def deliver(event: SQSEvent) -> None:
    """Webhooks are to be told something."""
    for message in event:
        with container().intake.retried(message.to_dict()):
            container().deliver.run(seconds_left(event))


@app.on_sqs_message(queue="dropload-intake-dlq", batch_size=1)
def bury_intake(event: SQSEvent) -> None:
    """An object's announcement failed too often."""
    for message in event:
        container().intake.bury_split(message.body)


@app.on_sqs_message(queue="dropload-batches-dlq", batch_size=1)
def bury_batch(event: SQSEvent) -> None:
    """A batch failed too often."""
    for message in event:
        container().intake.bury_batch(message.body)


@app.on_sqs_message(queue="dropload-export-dlq", batch_size=1)
def bury_export(event: SQSEvent) -> None:
    """An export failed too often."""
    for message in event:
        container().intake.bury_export(message.body)


@app.schedule(Rate(5, unit=Rate.MINUTES))
def sweep(event: CloudWatchEvent) -> None:
    """Go on with whatever stands still, and begin what was missed."""
    container().sweep.run(seconds_left(event))


@app.lambda_function()
def migrate(event: dict[str, Any], context: Any) -> list[str]:
    """Bring the database up to date after a deployment; what was done, a line each. Invoked by hand."""
    return container().schema.apply()


@app.lambda_function()
def create_key(event: dict[str, Any], context: Any) -> str:
    """Make an API key, ``{"name", "scopes", "datasets"?}``; its token, which nobody can read again. Invoked by hand."""
    return container().keys.create(event["name"], event["scopes"], event.get("datasets"))
