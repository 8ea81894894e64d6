"""A dataset sketched shard by shard by the tasks of Ray (extra ``ray``; see ``sharding``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from modelhub_sql import sharding
from modelhub_sql.extras import extra
from modelhub_sql.result import Sketch

__all__ = ["sketch"]


def sketch(plan: sharding.Plan, **options: Any) -> Sketch:
    """The sketch of a plan's dataset, the same as on one machine: a task a shard.

    options: of each task, as ``ray.remote`` takes them (``num_cpus``, ``memory``, ``runtime_env``). A task's DuckDB has as many
    threads as the task has CPUs, unless the plan says how many. Each node can read the files and has modelhub-sql. Ray is started
    on this machine where ``ray.init`` was not called. Raises DatasetError and ExtraError.
    """
    ray = extra("ray", "ray")

    def tasks(function: Callable[[Any], Any], each: Iterable[Any]) -> Iterator[Any]:
        task = ray.remote(**{"num_cpus": 1, **options})(function)
        started = [task.remote(one) for one in each]
        return (ray.get(one) for one in started)

    threads = plan.threads or max(1, int(options.get("num_cpus", 1)))
    return replace(plan, threads=threads).sketch(map=tasks)
