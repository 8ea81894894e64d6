"""Draw the pictures of the pages anew, from the data of the quickstart: python docs/make_pictures.py (extra ``plots``)."""

from __future__ import annotations

from pathlib import Path

import modelhub_sql
from modelhub_sql import plots

PICTURES = Path(__file__).parent / "pictures"
DATA = Path(__file__).parent.parent / "examples" / "quickstart" / "data"
LEAVE_OUT = ["label?", "split?"]


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    target = DATA / "dblp_scholar.parquet"
    with modelhub_sql.connect() as hub:
        for table in sorted(DATA.glob("*.parquet")):
            if table != target:
                hub.register(table.stem, table, exclude=LEAVE_OUT)
        for name, result in {
            "ranking": hub.find_models(target, exclude=LEAVE_OUT, all_models=True),
            "why": hub.explain("dblp_acm", target, exclude=LEAVE_OUT),
            "map": hub.dataset_pairs(),
        }.items():
            plots.save(result.plot(), str(PICTURES / f"{name}.svg"))


if __name__ == "__main__":
    main()
