"""Secrets Manager: where the database's URL is kept on AWS."""

from chalicelib.adapters.aws import calling, client


def read_secret(arn: str) -> str:
    """The secret's text. Raises Transient when it cannot be read."""
    with calling("reading the database's secret"):
        secret: str = client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
        return secret
