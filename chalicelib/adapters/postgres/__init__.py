"""PostgreSQL: the ledger and the datasets' tables, behind named queries in ``sql/``."""
