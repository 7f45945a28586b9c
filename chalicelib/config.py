"""Settings, read from the environment once and never changed after."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from chalicelib.errors import Terminal

MIB = 1024 * 1024


@dataclass(frozen=True)
class Oidc:
    """An OpenID Connect issuer whose tokens are taken, and the audience that they must be for."""

    issuer: str
    audience: str


@dataclass(frozen=True)
class Settings:
    """What one deployment is made of. Sizes are bytes, times seconds, queues URLs.

    Exactly one of ``database_url`` (a libpq URL) and ``database_secret_arn`` (a Secrets Manager secret that holds
    such a URL) is set. ``memory_mb`` is what this function has, as Lambda says; ``log_format`` is ``JSON`` or
    ``Text``, or None where logs are somebody else's to set up, and ``log_file`` where they go as well.
    ``source_buckets`` are buckets, or folders of them (``bucket/folder``), that files may be fetched from;
    ``private_origins`` are those (``https://host:port``) that need not be on the public internet. ``events_topic``
    is an SNS topic's ARN, ``digest_hour`` the hour (UTC) at which mails about the day before go out. A mail about
    failed files waits until none has come for ``mail_settle_seconds``, and the next one about the same dataset for
    ``mail_window_seconds``. ``webhook_key`` is what the webhooks' secrets are made of, or a secret holds it. Jobs
    and exports are forgotten ``ledger_days`` after they ended.
    """

    bucket: str
    intake_queue: str
    batch_queue: str
    convert_queue: str
    notify_queue: str
    export_queue: str
    fetch_queue: str
    webhook_queue: str
    database_url: str | None
    database_secret_arn: str | None
    mail_from: str
    engineers: tuple[str, ...]
    public_url: str
    batch_bytes: int = 16 * MIB
    max_record_bytes: int = MIB
    chunk_bytes: int = MIB
    max_unpacked_bytes: int = 50 * 1024 * MIB
    workers: int = 2
    link_seconds: int = 3600
    upload_seconds: int = 900
    fetch_bytes: int = 10 * 1024 * MIB
    fetch_seconds: int = 780
    source_buckets: tuple[str, ...] = ()
    webhook_key: str | None = None
    webhook_key_secret_arn: str | None = None
    private_origins: tuple[str, ...] = ()
    max_attempts: int = 3
    memory_mb: int = 1024
    log_format: str | None = None
    log_file: str | None = None
    oidc: Oidc | None = None
    events_topic: str | None = None
    mail_settle_seconds: int = 30
    mail_window_seconds: int = 900
    digest_hour: int = 6
    ledger_days: int = 730

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Read the variables that README.md lists.

        Raises:
            Terminal: a variable is missing or not a positive whole number; the message names it.
        """
        env = os.environ if environment is None else environment

        def text(name: str) -> str:
            if not env.get(name):
                raise Terminal("settings", f"the environment variable {name} is not set")
            return env[name]

        def size(name: str, default: int) -> int:
            value = env.get(name) or str(default)
            if not (value.isascii() and value.isdigit() and int(value) > 0):
                raise Terminal("settings", f"the environment variable {name} is not a positive whole number")
            return int(value)

        def whole(name: str, default: int, most: int) -> int:
            value = env.get(name) or str(default)
            if not (value.isascii() and value.isdigit() and int(value) <= most):
                raise Terminal("settings", f"the environment variable {name} is not a whole number from 0 to {most}")
            return int(value)

        def words(name: str) -> tuple[str, ...]:
            return tuple(word.strip().rstrip("/") for word in (env.get(name) or "").split(",") if word.strip())

        def one_of(name: str, *known: str) -> str | None:
            value = env.get(name) or None
            if value is not None and value not in known:
                raise Terminal("settings", f"the environment variable {name} is none of {', '.join(known)}")
            return value

        secret = env.get("DATABASE_SECRET_ARN") or None
        issuer = env.get("DROPLOAD_OIDC_ISSUER")
        return cls(
            bucket=text("DROPLOAD_BUCKET"),
            intake_queue=text("DROPLOAD_INTAKE_QUEUE_URL"),
            batch_queue=text("DROPLOAD_BATCH_QUEUE_URL"),
            convert_queue=text("DROPLOAD_CONVERT_QUEUE_URL"),
            notify_queue=text("DROPLOAD_NOTIFY_QUEUE_URL"),
            export_queue=text("DROPLOAD_EXPORT_QUEUE_URL"),
            fetch_queue=text("DROPLOAD_FETCH_QUEUE_URL"),
            webhook_queue=text("DROPLOAD_WEBHOOK_QUEUE_URL"),
            database_url=None if secret else text("DATABASE_URL"),
            database_secret_arn=secret,
            mail_from=text("DROPLOAD_MAIL_FROM"),
            engineers=tuple(address.strip() for address in text("DROPLOAD_ENGINEERS").split(",") if address.strip()),
            public_url=text("DROPLOAD_PUBLIC_URL").rstrip("/"),
            batch_bytes=size("DROPLOAD_BATCH_BYTES", cls.batch_bytes),
            max_record_bytes=size("DROPLOAD_MAX_RECORD_BYTES", cls.max_record_bytes),
            max_unpacked_bytes=size("DROPLOAD_MAX_UNPACKED_BYTES", cls.max_unpacked_bytes),
            chunk_bytes=size("DROPLOAD_CHUNK_BYTES", cls.chunk_bytes),
            workers=size("DROPLOAD_WORKERS", cls.workers),
            link_seconds=size("DROPLOAD_LINK_SECONDS", cls.link_seconds),
            upload_seconds=size("DROPLOAD_UPLOAD_SECONDS", cls.upload_seconds),
            fetch_bytes=size("DROPLOAD_FETCH_BYTES", cls.fetch_bytes),
            fetch_seconds=size("DROPLOAD_FETCH_SECONDS", cls.fetch_seconds),
            source_buckets=words("DROPLOAD_SOURCE_BUCKETS"),
            webhook_key=env.get("DROPLOAD_WEBHOOK_KEY") or None,
            webhook_key_secret_arn=env.get("DROPLOAD_WEBHOOK_KEY_SECRET_ARN") or None,
            private_origins=words("DROPLOAD_PRIVATE_ORIGINS"),
            max_attempts=size("DROPLOAD_MAX_ATTEMPTS", cls.max_attempts),
            memory_mb=size("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", cls.memory_mb),
            log_file=env.get("DROPLOAD_LOG_FILE") or None,
            log_format=one_of("DROPLOAD_LOG_FORMAT", "JSON", "Text"),
            oidc=Oidc(issuer, text("DROPLOAD_OIDC_AUDIENCE")) if issuer else None,
            events_topic=env.get("DROPLOAD_EVENTS_TOPIC_ARN") or None,
            mail_settle_seconds=whole("DROPLOAD_MAIL_SETTLE_SECONDS", cls.mail_settle_seconds, 3600),
            mail_window_seconds=whole("DROPLOAD_MAIL_WINDOW_SECONDS", cls.mail_window_seconds, 86_400),
            digest_hour=whole("DROPLOAD_DIGEST_HOUR", cls.digest_hour, 23),
            ledger_days=size("DROPLOAD_LEDGER_DAYS", cls.ledger_days),
        )
