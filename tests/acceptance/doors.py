"""What a user of the running system can do and see: drop files, ask for status, read tables, files and mail."""

import email
import email.policy
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any, TypeVar

import boto3
import psycopg2
from botocore.config import Config

TERMINAL = {"CANCELLED", "COMPLETED", "COMPLETED_WITH_FAILURES", "FAILED", "DUPLICATE"}
PATIENCE = 60.0
"""Seconds after which something that should come about is taken not to."""

Found = TypeVar("Found")
Json = dict[str, Any]


def eventually(look: Callable[[], Found | None], what: str) -> Found:
    """What ``look`` returns as soon as it is something. Raises AssertionError when patience is at an end."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited {PATIENCE:.0f} s in vain for {what}")


@dataclass(frozen=True)
class Answer:
    """An HTTP answer of the status API."""

    status: int
    content_type: str
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Dropped:
    """One version of one object that was put into the bucket."""

    key: str
    version_id: str


class Doors:
    """The public doors of the stack that ``local.json`` describes."""

    def __init__(self, stack: Mapping[str, Any]) -> None:
        self._stack = stack
        self.bucket = str(stack["bucket"])
        self.url = str(stack["api_url"])
        self.api_key = str(stack["api_key"])
        self.authorization = {"Authorization": f"Bearer {stack['api_key']}"}
        self.s3 = boto3.client(
            "s3",
            endpoint_url=stack["aws_endpoint_url"],
            aws_access_key_id=stack["aws_access_key_id"],
            aws_secret_access_key=stack["aws_secret_access_key"],
            region_name=stack["region"],
            config=Config(s3={"addressing_style": "path"}),
        )

    def drop(self, name: str, data: bytes, dataset: str = "members") -> Dropped:
        """Put a file into the input folder of a dataset."""
        key = f"input/{dataset}/{name}"
        version_id = self.s3.put_object(Bucket=self.bucket, Key=key, Body=data)["VersionId"]
        return Dropped(key, version_id)

    def get(self, path: str, *, api_key: str | None = None, **query: str | int) -> Answer:
        """Ask the status API; with another ``api_key`` than the one that works, or with "" for none."""
        return self.ask("GET", f"{path}?{urllib.parse.urlencode(query)}", api_key=api_key)

    def post(self, path: str, body: object = None, *, api_key: str | None = None) -> Answer:
        """Send JSON to the API; ``bytes`` go as they are."""
        return self.ask("POST", path, api_key=api_key, body={} if body is None else body)

    def ask(
        self,
        method: str,
        path: str,
        *,
        api_key: str | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Any request; a body that is not ``bytes`` goes as JSON. What is answered is JSON or text."""
        token = self._stack["api_key"] if api_key is None else api_key
        sent = {"Authorization": f"Bearer {token}"} if token else {}
        sent |= {} if body is None else {"Content-Type": "application/json"}
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        url = self.url + path
        request = urllib.request.Request(url, data, {**sent, **(headers or {})}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:
                return _answer(response.status, response)
        except urllib.error.HTTPError as error:
            with error:
                return _answer(error.code, error)

    def key(self, *scopes: str, datasets: Sequence[str] | None = None) -> str:
        """The token of a new API key."""
        body = {"name": "of a test", "scopes": scopes, "datasets": datasets}
        return str(self.post("/v1/keys", body).body["token"])

    def delete(self, dropped: Dropped) -> None:
        """Remove this version of the object for good."""
        self.s3.delete_object(Bucket=self.bucket, Key=dropped.key, VersionId=dropped.version_id)

    def job_of(self, dropped: Dropped) -> Json:
        """The job of an object as soon as there is one."""
        return self.job_that(dropped, lambda job: True)

    def job_that(self, dropped: Dropped, wanted: Callable[[Json], bool]) -> Json:
        """The job of an object as soon as it is as wanted."""

        def look() -> Json | None:
            jobs = self.get("/v1/jobs", key=dropped.key).body["items"]
            own = [job for job in jobs if job["object"]["version_id"] == dropped.version_id]
            return next(filter(wanted, own), None)

        return eventually(look, f"a job of {dropped.key} as wanted")

    def ended(self, dropped: Dropped) -> Json:
        """The job of an object when it has come to its end."""
        return self.ended_job(self.job_of(dropped)["id"])

    def ended_job(self, id: str) -> Json:
        """A job when it has come to its end."""

        def look() -> Json | None:
            job: Json = self.get(f"/v1/jobs/{id}", wait=10).body
            return job if job["state"] in TERMINAL else None

        return eventually(look, f"the end of job {id}")

    def rejections(self, job: Json, page: int = 1000) -> list[Json]:
        """Every rejected record of a job, page after page."""
        found: list[Json] = []
        cursor: dict[str, str] = {}
        while True:
            answer = self.get(f"/v1/jobs/{job['id']}/rejections", limit=page, **cursor).body
            assert answer["job"] == job["id"]
            found += answer["items"]
            if answer["next_cursor"] is None:
                return found
            cursor = {"cursor": answer["next_cursor"]}

    def read(self, job: Json, name: str) -> bytes:
        """A file that the job wrote: ``rejected.csv`` or ``manifest.json``."""
        key = f"error/{job['dataset']}/job={job['id']}/{name}"
        body: bytes = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return body

    def has(self, job: Json, name: str) -> bool:
        """Whether the job wrote this file."""
        prefix = f"error/{job['dataset']}/job={job['id']}/{name}"
        return bool(self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents"))

    def members(self, keys: Sequence[int]) -> list[tuple[Any, ...]]:
        """The rows of the members table with these client_member_ids, in the order in which they are asked for."""
        return [row[1:] for row in self._members(keys)]

    def ids_of_members(self, keys: Sequence[int]) -> list[int]:
        """The table's own ids of the members with these client_member_ids."""
        return [row[0] for row in self._members(keys)]

    def _members(self, keys: Sequence[int]) -> list[tuple[Any, ...]]:
        with closing(psycopg2.connect(self._stack["database_url"])) as connection, connection.cursor() as cursor:
            cursor.execute(
                "select id, first_name, last_name, phone_number, client_member_id, account_id from public.members"
                " join unnest(%s) with ordinality as wanted (client_member_id, place) using (client_member_id)"
                " order by place",
                (list(keys),),
            )
            return cursor.fetchall()

    def mails(self, job: Json) -> list[EmailMessage]:
        """The emails about a job that were sent so far."""
        return [mail for mail in self.all_mails() if job["id"] in text_of(mail)]

    def mail(self, job: Json) -> EmailMessage:
        """The one email about a job, as soon as it was sent."""
        (mail,) = eventually(lambda: self.mails(job), f"an email about {job['object']['key']}")
        return mail

    def told(self) -> None:
        """Wait until everybody has been told of all that has ended: what ends later is not told with it."""
        waiting = "select from dropload.outbox where sent_at is null and given_up_at is null"

        def look() -> bool:
            with closing(psycopg2.connect(self._stack["database_url"])) as connection, connection.cursor() as cursor:
                cursor.execute(waiting)
                return not cursor.rowcount

        eventually(look, "the mails about all that has ended")

    def all_mails(self) -> Iterator[EmailMessage]:
        """Every email that was sent so far, by anyone about anything."""
        for path in sorted(Path(self._stack["mail_dir"]).glob("*.eml")):
            yield email.message_from_bytes(path.read_bytes(), policy=email.policy.default)


def _answer(status: int, response: Any) -> Answer:
    kind = response.headers.get_content_type()
    text = response.read().decode()
    return Answer(status, kind, json.loads(text) if text and "json" in kind else text, dict(response.headers))


def text_of(mail: EmailMessage) -> str:
    """The plain text of an email."""
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())
