"""python django_importer.py URL FILE BATCH: the simplest importer, in an environment that has Django.

Imports nothing of ours: it runs outside of dropload's environment.
"""

import csv
import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

import django
from django.conf import settings


def main() -> None:
    url, file, batch = urlsplit(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": url.path.lstrip("/"),
        "USER": url.username,
        "PASSWORD": url.password,
        "HOST": url.hostname,
        "PORT": url.port,
    }
    settings.configure(DATABASES={"default": database}, INSTALLED_APPS=[], USE_TZ=True)
    django.setup()
    from django.db import models

    class Member(models.Model):  # type: ignore[misc]
        id = models.BigAutoField(primary_key=True)
        first_name = models.TextField()
        last_name = models.TextField()
        phone_number = models.TextField()
        client_member_id = models.BigIntegerField(unique=True)
        account_id = models.IntegerField()

        class Meta:
            app_label = "bench"
            db_table = "members"

    def members(rows: Any) -> Iterator[Any]:
        for row in rows:
            row.pop(None, None)  # fields beyond the header's
            yield Member(**row)

    with open(file, newline="", encoding="utf-8") as text:  # noqa: PTH123 (as people write it)
        records = members(csv.DictReader(text))
        while objects := list(islice(records, batch)):
            Member.objects.bulk_create(objects, batch_size=batch, ignore_conflicts=True)


if __name__ == "__main__":
    main()
