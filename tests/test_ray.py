"""Tasks of Ray count the shards of a dataset to the bytes of one machine."""

from __future__ import annotations

from pathlib import Path

import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from test_sharding import assert_same, table

import modelhub_sql


@pytest.mark.long
def test_tasks_of_ray_make_the_whole(tmp_path: Path) -> None:
    cluster = pytest.importorskip("ray", reason="needs the extra ray")
    from modelhub_sql import ray

    rows = table(701)
    flat = rows.drop_columns(["list", "in", "nothing"])
    for number in range(3):
        cut = slice(number * 250, (number + 1) * 250)
        pq.write_table(rows[cut], tmp_path / f"{number}.parquet")
        pyarrow.csv.write_csv(flat[cut], tmp_path / f"{number}.csv")
    cluster.init(num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=100_000_000)
    try:
        with modelhub_sql.connect(partition_size=50, sample_rows=300, salt="sea") as hub:
            for dataset, count in ((str(tmp_path / "*.parquet"), 5), (str(tmp_path / "*.csv"), None), (rows, 4)):
                whole = hub.sketch(dataset, exclude=["label"])
                plan = modelhub_sql.shards(dataset, count, exclude=["label"], hub=hub)
                assert len(plan.shards) >= 3
                assert_same(whole, ray.sketch(plan))
            plan = modelhub_sql.shards(str(tmp_path / "*.csv"), hub=hub)
            pyarrow.csv.write_csv(flat[:9], tmp_path / "1.csv")
            with pytest.raises(modelhub_sql.DatasetError, match=r"1\.csv has other rows than when the plan was made"):
                ray.sketch(plan, num_cpus=2)
    finally:
        cluster.shutdown()
