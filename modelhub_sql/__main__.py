"""``python -m modelhub_sql``: the command line."""

from modelhub_sql.cli import main

main(prog_name="modelhub")
