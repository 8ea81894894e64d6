"""Models and datasets in a cache of Hugging Face, by their cards into a hub.

    python examples/registries/hugging_face.py

The cache is made here, of the tables of the quickstart; yours is in ~/.cache/huggingface/hub.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import modelhub_sql
from modelhub_sql.huggingface import import_models

DATA = Path(__file__).parents[1] / "quickstart" / "data"
CARD = "---\nlicense: mit\ndatasets: [matching/{0}]\npipeline_tag: entity-matching\n---\n# A matcher\n"


def main(cache: Path) -> None:
    for task in ("dblp_acm", "beer", "fodors_zagats"):
        model, dataset = (cache / f"{kind}--matching--{task}" / "snapshots" / "1234567" for kind in ("models", "datasets"))
        model.mkdir(parents=True)
        (model / "README.md").write_text(CARD.format(task), encoding="utf-8")
        # A model whose data is not here is listed with the reason.
        if task != "beer":
            dataset.mkdir(parents=True)
            shutil.copy(DATA / f"{task}.parquet", dataset / "train.parquet")
    with modelhub_sql.connect() as hub:
        found = import_models(hub, cache, exclude=["label", "split"])
        print(found.select("model, outcome, licence, note"))
        print(found.summary)
        print(hub.find_models(DATA / "dblp_scholar.parquet", exclude=["label", "split"]).summary)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        main(Path(made))
