"""Hugging Face: folders of datasets as data, and models of a local folder or cache into a hub by what their cards say.

No library of theirs is needed and nothing is downloaded; cards are read by PyYAML, the extra ``hf``.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from modelhub_sql.datasets import arrow_file
from modelhub_sql.errors import DatasetError, HubError, OptionError
from modelhub_sql.extras import extra

if TYPE_CHECKING:
    from modelhub_sql.hub import Hub
    from modelhub_sql.result import Result

__all__ = ["import_models", "is_folder", "splits", "table_of"]

#: More of a card than this is no front matter.
_LONGEST_CARD = 1_000_000
_ENDINGS = (".arrow", ".parquet", ".csv", ".tsv", ".json", ".jsonl", ".ndjson")
_SHARD = re.compile(r"-\d{5}-of-\d{5}$")
_TRAINING = ("train", "training")


class _Left(Exception):
    """A model that can't be taken; the message is the reason."""


# -- datasets ---------------------------------------------------------------------------


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Whether a folder is a dataset that ``datasets`` has saved, or prepared in its cache."""
    return any(os.path.isfile(Path(path) / name) for name in ("dataset_info.json", "dataset_dict.json"))


def splits(folder: Path) -> dict[str, list[Path]]:
    """The files of each split of a dataset's folder: saved, prepared in the cache, or as it lies in a repository.

    Raises DatasetError where what was saved is not read by its files alone.
    """
    if (folder / "dataset_dict.json").is_file():
        names = _json(folder / "dataset_dict.json").get("splits")
        return {str(name): splits(folder / str(name)).get("all", []) for name in names or []}
    if (folder / "state.json").is_file():
        state = _json(folder / "state.json")
        if state.get("_indices_files"):
            raise DatasetError(f"{folder} is a selection of the rows in its files: pass datasets.load_from_disk(path)")
        named = [each.get("filename") for each in state.get("_data_files") or [] if isinstance(each, dict)]
        # Names alone: a file of somewhere else is not meant.
        return {"all": [folder / Path(str(name)).name for name in named]}
    found: dict[str, list[Path]] = {}
    told = _told_files(folder)
    for file in sorted(each for each in folder.rglob("*") if each.is_file() and each.suffix.lower() in _ENDINGS):
        inside = file.relative_to(folder)
        # A cache-... file is of a computation, dataset_info.json and the like say something of the data.
        if (
            file.name.startswith(("cache-", "dataset_info", "dataset_infos", "state.json", "."))
            or file.name == "dataset_dict.json"
        ):
            continue
        if told is not None:
            names = [name for name, patterns in told.items() if any(fnmatch(inside.as_posix(), each) for each in patterns)]
        else:
            names = [_split(inside)]
        for name in names:
            found.setdefault(name, []).append(file)
    return found


def _split(file: Path) -> str:
    """The split that a file is of, by its name or its folder's: imdb-train-00000-of-00002.arrow, data/test.parquet."""
    words = re.split(r"[^a-z0-9]+", _SHARD.sub("", file.with_suffix("").as_posix()).lower())
    known = {"train": "train", "training": "train", "test": "test", "validation": "validation", "valid": "validation",
             "val": "validation", "dev": "validation", "eval": "test", "unsupervised": "unsupervised"}  # fmt: skip
    return next((known[word] for word in reversed(words) if word in known), "all")


def _told_files(folder: Path) -> dict[str, list[str]] | None:
    """The files of each split that the dataset's card names; None where it names none. Raises DatasetError."""
    card = _card(folder / "README.md") if (folder / "README.md").is_file() else {}
    configs = [each for each in _list(card.get("configs")) if isinstance(each, dict) and each.get("data_files")]
    if not configs:
        return None
    chosen = [each for each in configs if each.get("default")] or configs
    if len(chosen) > 1:
        names = ", ".join(str(each.get("config_name")) for each in chosen)
        raise DatasetError(f"it has several configurations ({names:.200}), and none is the default")
    files = chosen[0]["data_files"]
    if isinstance(files, str) or (isinstance(files, list) and all(isinstance(each, str) for each in files)):
        return {"train": [str(each) for each in _list(files)]}
    return {
        str(each.get("split", "train")): [str(path) for path in _list(each.get("path"))]
        for each in _list(files)
        if isinstance(each, dict)
    }


def table_of(folder: str | os.PathLike[str], split: str | None = None) -> Any:
    """The rows of a split of a dataset's folder as an Arrow table; by default of the only one.

    Raises DatasetError.
    """
    import duckdb
    import pyarrow as pa

    found = splits(Path(folder))
    if split is None and len(found) > 1:
        shown = {name: (files[0].parent if name in files[0].parent.name else files[0]) for name, files in found.items() if files}
        raise DatasetError(
            f"{folder} holds several tables ({', '.join(found)}): pass one of them, as {next(iter(shown.values()), folder)}"
        )
    files = found.get(split, []) if split is not None else next(iter(found.values()), [])
    if not files:
        raise DatasetError(f"{folder} has no files of {'a dataset' if split is None else f'the split {split}'}")
    if missing := [file.name for file in files if not file.is_file()]:
        raise DatasetError(f"{folder} lacks {len(missing)} of its {len(files)} files: {missing[0]}")
    tables = []
    for file in files:
        if file.suffix.lower() == ".arrow":
            tables.append(arrow_file(str(file)))
        else:
            reader = {".parquet": duckdb.read_parquet, ".csv": duckdb.read_csv, ".tsv": duckdb.read_csv}
            try:
                with duckdb.connect() as con:
                    read = reader.get(file.suffix.lower(), duckdb.read_json)
                    tables.append(read(_as_name(file), connection=con).to_arrow_table())
            except duckdb.Error as error:
                raise DatasetError(f"{file} can't be read: {_short(error)}") from error
    try:
        return pa.concat_tables(tables, promote_options="default")
    except pa.ArrowException as error:
        raise DatasetError(f"the files of {folder} have other columns: {_short(error)}") from error


def _as_name(file: Path) -> str:
    # A file that is called so, not a glob.
    return re.sub(r"[*?\[]", lambda sign: f"[{sign[0]}]", str(file))


def _labels(table: Any, files: Sequence[Path]) -> list[str]:
    """The columns that hold classes, as ``datasets`` says in the schema."""
    import pyarrow.parquet as pq

    schema = table.schema
    if not (schema.metadata or {}).get(b"huggingface") and files and files[0].suffix.lower() == ".parquet":
        schema = pq.read_schema(files[0])
    try:
        told = json.loads((schema.metadata or {}).get(b"huggingface") or b"{}")["info"]["features"]
        return [
            name for name in table.column_names if isinstance(told.get(name), dict) and told[name].get("_type") == "ClassLabel"
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        return []


# -- models -----------------------------------------------------------------------------


class _Model(NamedTuple):
    """A model that lies in a folder. version: of a cache the revision. card: what the front matter of its README.md says."""

    name: str
    version: str
    revision: str | None
    folder: Path
    card: Mapping[str, Any]


def import_models(
    hub: Hub,
    folder: str | os.PathLike[str],
    *,
    datasets: Sequence[str | os.PathLike[str]] = (),
    exclude: Sequence[str] = (),
    hide_excluded: bool = False,
    accuracy: str = "accuracy",
    dry_run: bool = False,
    progress: bool = False,
) -> Result:
    """Register the models of a folder by the datasets that their cards name, where these are on this machine.

    A model of several datasets is registered by the rows of all together, where all are here and have the same columns.

    folder: of models, each a folder with a README.md, or a cache of Hugging Face (models--owner--name).
    datasets: folders where datasets are looked for, saved or in a cache; by default the same, and the caches of Hugging Face.
    exclude: columns to leave out, besides those of classes; one may be absent from a dataset.
    hide_excluded: do not keep the names of the excluded columns.
    accuracy: the metric of the card that is the accuracy.
    dry_run: register nothing, say what would be.
    progress: show a progress bar on stderr.

    Each model is a transaction of its own. Returns a row for each model: what became of it, by which data, its licence, and the
    reason where it was left out. Raises OptionError (no such folder), ExtraError and HubError.
    """
    import pyarrow as pa

    from modelhub_sql.rendering import tracked
    from modelhub_sql.result import Result

    extra("yaml", "hf")
    root = Path(folder)
    for each in (root, *map(Path, datasets)):
        if not each.is_dir():
            raise OptionError(f"there is no folder {each}")
    places = [Path(each) for each in datasets] or [root, *_caches()]
    models = tracked(list(_models(root)), "Importing", progress)
    rows = [_import_one(hub, model, places, exclude, accuracy, dry_run, hide_excluded) for model in models]
    types = {"excluded": pa.list_(pa.string()), "accuracy": pa.float64()}
    names = ("model", "version", "outcome", "dataset", "excluded", "accuracy", "licence", "note")
    result = Result(
        hub.con, pa.table({name: pa.array([row.get(name) for row in rows], types.get(name, pa.string())) for name in names})
    )
    outcomes = [row["outcome"] for row in rows]
    result.summary = ", ".join(f"{outcomes.count(each)} {each}" for each in dict.fromkeys(outcomes)) or "no models"
    return result


def _import_one(
    hub: Hub, model: _Model, places: Sequence[Path], exclude: Sequence[str], metric: str, dry_run: bool, hide_excluded: bool
) -> dict[str, Any]:
    card = model.card
    row: dict[str, Any] = {
        "model": model.name,
        "version": model.version,
        "outcome": "left out",
        "licence": _text(card.get("license")),
    }
    try:
        if "problem" in card and len(card) == 1:
            raise _Left(str(card["problem"]))
        known = _known(hub, model)
        if known is not None:
            if known.get("folder") != str(model.folder):
                raise _Left("the hub has another model of that name and version")
            return row | {"outcome": "known already"}
        named = [str(each) for each in _list(card.get("datasets"))]
        if not named:
            raise _Left("its card names no dataset (datasets:)")
        row["dataset"] = ", ".join(named)
        table, labels = _training_rows_of_all(named, places, exclude)
        left = [*labels, *(each for each in _optional(exclude) if each.rstrip("?") not in labels)]
        row["excluded"] = left
        row["accuracy"], notes = _accuracy(card, named, metric)
        if not left:
            notes.append("which column is the label is not known: its dataset does not say")
        told: dict[str, Any] = dict(
            version=model.version, accuracy=row["accuracy"], task=_text(card.get("pipeline_tag")),
            framework=_text(card.get("library_name")), uri=str(model.folder), metadata={"huggingface": _metadata(model)},
        )  # fmt: skip
        if dry_run:
            hub.columns_of(table)
            row["outcome"] = "to be registered"
        else:
            hub.register(model.name, table, exclude=left, hide_excluded=hide_excluded, source=row["dataset"], **told)
            row["outcome"] = "registered"
        row["note"] = "; ".join(notes) or None
    except (_Left, HubError) as error:
        return row | {"note": _short(error)}
    return row


def _models(root: Path) -> Iterator[_Model]:
    """The models of a folder, by name: of a cache the revision that is checked out last, or else each folder with a card."""
    caches = sorted(root.glob("models--*"))
    for cache in caches:
        revisions = sorted((each for each in (cache / "snapshots").glob("*") if each.is_dir()), key=lambda each: each.name)
        told = cache / "refs" / "main"
        main = told.read_text(encoding="utf-8", errors="replace").strip() if told.is_file() else ""
        snapshot = next((each for each in revisions if each.name == main), revisions[-1] if revisions else None)
        name = "/".join(cache.name.split("--")[1:])
        if snapshot is None or not (snapshot / "README.md").is_file():
            yield _Model(name, "", None, snapshot or cache, {"problem": "no card (README.md) of it is here"})
        else:
            told_by = _card_or_problem(snapshot / "README.md")
            yield _Model(name, snapshot.name[:7], snapshot.name, snapshot.absolute(), told_by)
    seen: list[Path] = []
    for card in sorted(root.rglob("README.md"), key=lambda each: each.parts[:-1]):
        inside = card.parent.relative_to(root)
        is_of_cache = inside.parts and inside.parts[0].startswith(("models--", "datasets--", "spaces--"))
        # What is deeper in the folder of a model is said of it.
        if is_of_cache or any(card.parent.is_relative_to(each) for each in seen):
            continue
        told_by = _card_or_problem(card)
        if told_by:
            seen.append(card.parent)
        # A card of a dataset is none of a model.
        if not {"dataset_info", "task_categories", "configs"} & set(told_by):
            yield _Model(inside.as_posix() if inside.parts else root.resolve().name, "", None, card.parent.absolute(), told_by)


def _card_or_problem(path: Path) -> dict[str, Any]:
    try:
        return _card(path)
    except DatasetError as error:
        return {"problem": str(error)}


def _card(path: Path) -> dict[str, Any]:
    """The front matter of a card; empty where it has none. Raises DatasetError."""
    yaml = extra("yaml", "hf")
    try:
        with path.open(encoding="utf-8", errors="replace") as stream:
            text = stream.read(_LONGEST_CARD)
    except OSError as error:
        raise DatasetError(f"its card can't be read: {error.strerror}") from error
    matter = re.match(r"\ufeff?---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(\r?\n|$)", text, re.DOTALL)
    if matter is None:
        return {}
    try:
        found = yaml.safe_load(matter[1])
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DatasetError(f"its card is no YAML: {_short(error)}") from error
    return {str(name): value for name, value in found.items()} if isinstance(found, dict) else {}


def _training_rows(name: str, places: Sequence[Path]) -> tuple[Any, list[str]]:
    """The rows of the split train of a dataset, and its columns of classes. Raises _Left and DatasetError."""
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", name) or ".." in name:
        raise _Left(f"{name:.200} is no name of a dataset")
    folders = list(dict.fromkeys(folder.resolve() for place in places for folder in _folders(name, place)))
    if not folders:
        raise _Left(f"its dataset {name} is not here: looked for in {', '.join(map(str, places)):.300}")
    reasons = []
    for folder in folders:
        try:
            found = splits(folder)
            split = next((each for each in found if each in _TRAINING), next(iter(found)) if len(found) == 1 else None)
            if split is None:
                raise DatasetError(f"it has no split train: there are {', '.join(found) or 'no files'}")
            table = table_of(folder, split)
            return table, _labels(table, found[split])
        except DatasetError as error:
            reasons.append(f"{folder}: {error}")
    raise _Left("; ".join(reasons))


def _training_rows_of_all(named: Sequence[str], places: Sequence[Path], exclude: Sequence[str]) -> tuple[Any, list[str]]:
    """The rows of all datasets together, which the model was trained on, and their columns of classes. Raises _Left."""
    import pyarrow as pa

    tables: dict[str, Any] = {}
    labels: dict[str, None] = {}
    reasons = []
    for name in named:
        try:
            tables[name], found = _training_rows(name, places)
            labels |= dict.fromkeys(found)
        except (_Left, DatasetError) as error:
            reasons.append(str(error))
    if reasons:
        whole = f"it was trained on {len(named)} datasets ({', '.join(named):.200}), and not all are here: "
        raise _Left((whole if len(named) > 1 else "") + "; ".join(reasons))
    left_out = [each.rstrip("?").lower() for each in (*labels, *exclude)]
    first, *others = (
        {column for column in table.column_names if not any(fnmatch(column.lower(), each) for each in left_out)}
        for table in tables.values()
    )
    for name, columns in zip(list(tables)[1:], others, strict=True):
        if differing := sorted(first ^ columns):
            raise _Left(
                f"it was trained on {len(named)} datasets whose columns differ: {', '.join(differing):.200} "
                f"{'is' if len(differing) == 1 else 'are'} not in both {named[0]} and {name}"
            )
    try:
        return pa.concat_tables(list(tables.values()), promote_options="permissive"), list(labels)
    except pa.ArrowException as error:
        raise _Left(f"it was trained on {len(named)} datasets whose columns differ in type: {_short(error)}") from error


def _folders(name: str, place: Path) -> Iterator[Path]:
    """Where a dataset of a name may lie below a folder: in the cache of ``datasets``, in that of the hub, or by its name."""
    prepared = place / name.replace("/", "___")
    versions = sorted(each.parent for each in prepared.glob("*/*/*/dataset_info.json"))
    if len({each.parts[-3] for each in versions}) > 1:
        raise _Left(f"its dataset {name} has several configurations ({', '.join(sorted({e.parts[-3] for e in versions})):.200})")
    yield from versions[-1:]
    snapshots = sorted((place / f"datasets--{name.replace('/', '--')}" / "snapshots").glob("*"))
    main = place / f"datasets--{name.replace('/', '--')}" / "refs" / "main"
    told = main.read_text(encoding="utf-8", errors="replace").strip() if main.is_file() else ""
    yield from sorted(snapshots, key=lambda each: (each.name != told, each.name))[:1]
    if (place / name).is_dir() and not versions:
        yield place / name


def _caches() -> list[Path]:
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    told = [os.environ.get("HF_DATASETS_CACHE") or home / "datasets", os.environ.get("HF_HUB_CACHE") or home / "hub"]
    return [Path(each) for each in told if Path(each).is_dir()]


def _metrics(card: Mapping[str, Any]) -> Iterator[tuple[str, str, float]]:
    """What a card measured: metric, its dataset, value."""
    for index in _list(card.get("model-index")):
        for result in _list(index.get("results")) if isinstance(index, dict) else []:
            if not isinstance(result, dict):
                continue
            data = result.get("dataset")
            data = data if isinstance(data, dict) else {}
            for metric in _list(result.get("metrics")):
                value = metric.get("value") if isinstance(metric, dict) else None
                if isinstance(value, (int, float)) and not isinstance(value, bool) and value == value:
                    yield str(metric.get("type")), str(data.get("type") or data.get("name") or ""), float(value)


def _accuracy(card: Mapping[str, Any], named: Sequence[str], metric: str) -> tuple[float | None, list[str]]:
    """The accuracy that the card says of the data that the model was trained on, and what is to be said of it."""
    found = [(of, value) for name, of, value in _metrics(card) if name.lower() == metric.lower()]
    own = [(of, value) for of, value in found if _last(of) in map(_last, named)]
    if not own:
        return None, [f"its {metric} is of another dataset ({found[0][0]:.100})"] if found else []
    if len(named) > 1:
        told = ", ".join(f"{of} {value:.6g}" for of, value in own)
        return None, [f"its {metric} is not of all its datasets together: {told:.200}"]
    if not 0 <= own[0][1] <= 1:
        return None, [f"{metric} is {own[0][1]:.6g}, which is no accuracy in [0, 1]"]
    return own[0][1], []


def _last(name: str) -> str:
    return name.rpartition("/")[2].lower()


def _metadata(model: _Model) -> dict[str, Any]:
    card = model.card
    measured = [dict(metric=name, dataset=of, value=value) for name, of, value in _metrics(card)]
    known = dict(
        folder=str(model.folder), revision=model.revision, licence=_text(card.get("license")), metrics=measured,
        base_model=_text(card.get("base_model")), languages=[str(each) for each in _list(card.get("language"))],
    )  # fmt: skip
    return {name: value for name, value in known.items() if value not in (None, [], "")}


def _known(hub: Hub, model: _Model) -> dict[str, Any] | None:
    """What the import that registered a model told of it; empty for one of other origin, None for none."""
    with hub._lock:
        rows = hub._own.execute(
            f"SELECT metadata FROM {hub._place.tables}._hub.models WHERE model = ? AND version = ?", [model.name, model.version]
        ).fetchall()
    if not rows:
        return None
    try:
        told = json.loads(rows[0][0] or "{}").get("huggingface")
    except (ValueError, AttributeError):
        told = None
    return told if isinstance(told, dict) else {}


def _optional(exclude: Iterable[str]) -> list[str]:
    return [column if column.endswith("?") or "*" in column else f"{column}?" for column in exclude]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _text(value: Any) -> str | None:
    return None if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} can't be read: {_short(error)}") from error
    return found if isinstance(found, dict) else {}


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:400]
