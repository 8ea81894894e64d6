"""Write docs/digests.csv: the digests that a good hub has, for docs/digest.sql to be compared with. Made for each release.

python docs/make_digests.py                    with the DuckDB of this Python
python docs/make_digests.py PYTHON PYTHON ...  with that of each of these, files of one being read by every other

DuckDB stores a macro as it understood it and prints it anew, so that the digest depends on which DuckDB wrote the file and
which reads it.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb

__all__ = ["digest"]

HERE = Path(__file__).parent
QUERY = HERE / "digest.sql"


def digest(path: str) -> str:
    """The digest of the logic that a hub's file carries, by the DuckDB of this Python."""
    with duckdb.connect() as con:
        con.execute("ATTACH '" + path.replace("'", "''") + "' AS hub (READ_ONLY)")
        ((_, found),) = con.execute(QUERY.read_text(encoding="utf-8")).fetchall()
    return str(found)


def make(folder: Path) -> None:
    """A hub that is called by the DuckDB that wrote it."""
    import modelhub_sql

    modelhub_sql.connect(folder / f"{duckdb.__version__}.duckdb").close()


def read(folder: Path) -> list[dict[str, str]]:
    """The digests of the hubs of a folder."""
    return [
        {"written_by": file.stem, "read_by": duckdb.__version__, "digest": digest(str(file))}
        for file in sorted(folder.glob("*.duckdb"))
    ]


def main(pythons: list[str]) -> None:
    """Each Python makes its hubs; then each reads those of all."""
    from modelhub_sql import __version__

    rows: list[dict[str, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        for step in ("--make", "--read"):
            for python in pythons:
                done = subprocess.run([python, __file__, step, folder], check=True, capture_output=True, encoding="utf-8")
                rows += json.loads(done.stdout or "[]")
    with HERE.joinpath("digests.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["modelhub", *rows[0]], lineterminator="\n")
        writer.writeheader()
        writer.writerows({"modelhub": __version__} | row for row in rows)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--make", folder]:
            make(Path(folder))
        case ["--read", folder]:
            print(json.dumps(read(Path(folder))))
        case pythons:
            main(pythons or [sys.executable])
