"""The stack of one machine: PostgreSQL, an AWS emulator, a mail sink and the API, all on loopback."""
