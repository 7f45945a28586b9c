-- Rows straight into a table. {braces} are identifiers and literals, filled in by psycopg2.sql.

-- name: csv
copy {table} ({columns}) from stdin with (format csv, delimiter {delimiter}, quote {quote})

-- name: text
copy {table} ({columns}) from stdin
