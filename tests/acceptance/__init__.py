"""The whole running stack, through its public doors only: S3, the status API, PostgreSQL and the mailbox."""
