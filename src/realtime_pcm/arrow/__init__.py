"""Recordings as Arrow tables: one row per line, with its audio. Needs pyarrow (extra `arrow`).

for batch in read("calls/"):
    batch.column("pcm").values.to_numpy()

to_parquet("calls/", "tables/")
"""

from __future__ import annotations

from .batches import Batches, read
from .items import items
from .parquet import Written, to_parquet
from .schema import VERSION, errors_schema, items_schema, rows_schema

__all__ = ["VERSION", "Batches", "Written", "errors_schema", "items", "items_schema", "read", "rows_schema", "to_parquet"]
