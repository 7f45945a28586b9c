"""The rules: what a record is, which records are right, what to say about the others.

Pure: no I/O, no clock, no randomness; the standard library, RE2 (in ``runs``) and :mod:`chalicelib.errors` only.

Read in this order: ``schema`` (the words), ``dataset`` (from a descriptor), ``header``, ``records`` (where a record
ends), ``cut`` (a file into batches), ``parsers`` (what a value means), ``values`` (the exact rules), ``fastpath`` (the
expression that may skip them), ``reader`` (a batch into rows and rejections), ``duplicates``, ``render``.
"""
