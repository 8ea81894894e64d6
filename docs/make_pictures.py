"""Draw the pictures of the pages anew, from the data of the quickstart: python docs/make_pictures.py (extra ``plots``).

Each is drawn for light pages, and says itself which of its colours are others on a dark one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
            "ranking": hub.find_models(target, exclude=LEAVE_OUT, all_models=True, details=True),
            "why": hub.explain("dblp_acm", target, exclude=LEAVE_OUT),
            "map": hub.dataset_pairs(),
        }.items():
            draw(result, PICTURES / f"{name}.svg")


def draw(result: Any, path: Path) -> None:
    plots.save(result.plot(), str(path))
    light, dark = ([*plots.INK[side], *plots.SIDES[side]] for side in (False, True))
    rules = "".join(
        f'[{paint}="{shown}"]{{{paint}:{instead}}}'
        for shown, instead in zip(light, dark, strict=True)
        for paint in ("fill", "stroke")
    )
    head, end, body = path.read_text(encoding="utf-8").partition(">")
    path.write_text(f"{head}{end}<style>@media (prefers-color-scheme: dark){{{rules}}}</style>{body}", encoding="utf-8")


if __name__ == "__main__":
    main()
