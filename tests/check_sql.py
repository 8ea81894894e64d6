"""The rules that the SQL files keep, as a program: prints what breaks one, a line each, and exits 1 for what is not known.

    python tests/check_sql.py

No SQL is run here: the files are read as words. What needs a hub is tested in ``test_sql_files.py``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import duckdb

from modelhub_sql import logic

__all__ = ["Broken", "broken", "files", "read", "words"]

ROOT = Path(__file__).parent.parent
WIDTH = 130

#: Folders whose files are a relation each.
RELATIONS = ("sql/sketch", "sql/merge", "sql/many", "sql/search", "sql/pairs", "udfs/relations")
#: What a search starts from, and what a sketch does.
GIVEN = {"search": {"target_sketch", "options", "searched", "explained"}, "sketch": set[str](), "pairs": set[str]()}

#: What breaks a rule for now: (rule, start of the file's path).
KNOWN: set[tuple[str, str]] = set()

# Keywords that are written small, as the values and names that they look like.
_SMALL = {"lambda", "true", "false"}
# Keywords that DuckDB lets be names, and that are none here.
_MORE = {
    "BEGIN", "BETWEEN", "BY", "COMMENT", "COMMIT", "CUBE", "DELETE", "DROP", "EXISTS", "FILTER", "INSERT", "INTERVAL", "MACRO",
    "MATERIALIZED", "OVER", "RECURSIVE", "RESET", "ROLLBACK", "SCHEMA", "SET", "TEMP", "TRY_CAST", "UPDATE", "VARIABLE", "VIEW",
}  # fmt: skip
_SORTING = {"list_sort", "array_sort", "list_grade_up", "array_grade_up", "grade_up"}
_SORTING_BY_SESSION = {"list_reverse_sort", "array_reverse_sort"}
_ENDS_FROM = {
    "WHERE", "GROUP", "ORDER", "HAVING", "QUALIFY", "LIMIT", "OFFSET", "UNION", "EXCEPT", "INTERSECT", "SELECT", "ON", "USING", ";",
}  # fmt: skip
_ENDS_ORDER = {"LIMIT", "OFFSET", "ROWS", "RANGE", "GROUPS", "UNION", "QUALIFY", ";"}

_WORD = re.compile(
    r"""
    (?P<comment>--[^\n]*|/\*.*?\*/) | (?P<text>'(?:[^']|'')*') | (?P<quoted>"(?:[^"]|"")*")
    | (?P<name>[A-Za-z_]\w*) | (?P<number>\d[\w.]*) | (?P<sign>::|:=|[^\s\w])
    """,
    re.VERBOSE | re.DOTALL,
)


class Word(NamedTuple):
    """kind: text, quoted, name, number or sign."""

    kind: str
    text: str
    line: int


class Broken(NamedTuple):
    """A rule, the file and line that break it, and how."""

    rule: str
    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.rule}: {self.what}"

    @property
    def known(self) -> bool:
        """Whether it is let pass for now."""
        return any(self.rule == rule and self.file.startswith(path) for rule, path in KNOWN)


def files() -> dict[str, str]:
    """Path from the root and text of every SQL file of the package."""
    found = [*ROOT.joinpath("sql").rglob("*.sql"), *ROOT.joinpath("udfs").rglob("*.sql")]
    return {file.relative_to(ROOT).as_posix(): file.read_text(encoding="utf-8") for file in sorted(found)}


def words(text: str) -> list[Word]:
    """The words and signs of a text, without comments."""
    return [
        Word(match.lastgroup or "", match[0], text.count("\n", 0, match.start()) + 1)
        for match in _WORD.finditer(text)
        if match.lastgroup != "comment"
    ]


def broken(texts: Mapping[str, str] | None = None) -> list[Broken]:
    """All that breaks a rule; texts: the files, by default those of the package."""
    found: list[Broken] = []
    for file, text in (files() if texts is None else texts).items():
        found += _lines(file, text)
        found += _keywords(file, words(text))
        found += _orders(file, words(text))
        if file.rpartition("/")[0] in (*RELATIONS, "sql/public"):
            found += _first_line(file, text)
            found += _stars(file, text)
        if file.startswith(("sql/search/", "udfs/relations/")):
            found += _parameters(file, words(text))
    return found if texts is not None else [*found, *_numbers(), *_replaced(), *_order_of_relations()]


# -- one file -------------------------------------------------------------------------------


def _lines(file: str, text: str) -> Iterator[Broken]:
    for number, line in enumerate(text.splitlines(), 1):
        # What a row is, and what an object is, is said in one line.
        is_said = line.startswith(("COMMENT ON ", "-- again: ")) or (number == 1 and line.startswith("-- "))
        # A text can't be broken.
        texts = [len(found) for found in re.findall(r"'(?:[^']|'')*'", line)]
        if len(line) > WIDTH and not is_said and max(texts, default=0) < WIDTH - 20:
            yield Broken("width", file, number, f"{len(line)} characters, at most {WIDTH}")
        if line != line.rstrip() or "\t" in line:
            yield Broken("width", file, number, "a tab, or a space at the end")


def _first_line(file: str, text: str) -> Iterator[Broken]:
    line, _, second = text.partition("\n")
    if not re.match(r"-- [a-zA-Z]\S* \S+ ", line + " "):
        yield Broken("first line", file, 1, f"must be a comment that says what a row is, is {line!r}")
    elif line.endswith("."):
        yield Broken("first line", file, 1, "is a phrase, without a full stop")
    if file.startswith("sql/public/") and not second.startswith("-- example: "):
        yield Broken("first line", file, 2, "must be an example: -- example: ...")


def _stars(file: str, text: str) -> Iterator[Broken]:
    # DuckDB stores such a list in any order: the digest of the logic would be another in each file.
    for number, line in enumerate(text.splitlines(), 1):
        if re.search(r"\*\s*(EXCLUDE|REPLACE|RENAME) \([^)]*,", line):
            yield Broken("stars", file, number, "EXCLUDE, REPLACE or RENAME of more than one column: name the columns")


def _keywords(file: str, text: list[Word]) -> Iterator[Broken]:
    known = keywords()
    for place, word in enumerate(text):
        if word.kind != "name" or _before(text, place) == "." or _after(text, place) in (".", ":="):
            continue
        called = _after(text, place) == "("
        if word.text.upper() in known["always"] and word.text != word.text.upper() and word.text not in _SMALL:
            # left(x) and replace(x, ...) are functions.
            if not called or word.text.upper() not in known["or a function"]:
                yield Broken("upper case", file, word.line, f"the keyword {word.text}")
        elif word.text != word.text.lower() and word.text.upper() not in known["any"] and _before(text, place) != "COLLATE":
            yield Broken("lower case", file, word.line, f"the name {word.text}")


@cache
def keywords() -> dict[str, set[str]]:
    """Words of SQL: those that are always keywords, those that may be functions too, and all, with the names of types."""
    rows = duckdb.execute("SELECT upper(keyword_name), keyword_category FROM duckdb_keywords()").fetchall()
    types = {name for (name,) in duckdb.execute("SELECT DISTINCT upper(type_name) FROM duckdb_types()").fetchall()}
    always = {name for name, category in rows if category in ("reserved", "type_function")} | _MORE
    functions = {name for name, category in rows if category == "type_function"} | {"REPLACE", "SET"}
    return {"always": always, "or a function": functions, "any": {name for name, _ in rows} | types | _MORE}


def _orders(file: str, text: list[Word]) -> Iterator[Broken]:
    for place, word in enumerate(text):
        if word.text == "ORDER" and _after(text, place) == "BY":
            for item in _items(text, place + 2):
                said = [each.text for each in item]
                if said[-2:-1] == ["NULLS"]:
                    said = said[:-2]
                if said[-1:] not in (["ASC"], ["DESC"]):
                    yield Broken("order", file, word.line, f"ORDER BY {' '.join(said)} without ASC or DESC")
        elif word.text in _SORTING and _after(text, place) == "(":
            if not any(each.text in ("'ASC'", "'DESC'") for each in list(_items(text, place + 2))[1]):
                yield Broken("order", file, word.line, f"{word.text} without 'ASC' or 'DESC'")
        elif word.text in _SORTING_BY_SESSION:
            yield Broken("order", file, word.line, f"{word.text} follows the session's default_order")


def _items(text: list[Word], start: int) -> list[list[Word]]:
    """What stands between commas from a place on, until a bracket closes or a clause ends it."""
    items: list[list[Word]] = [[]]
    depth = 0
    for word in text[start:]:
        depth += (word.text in ("(", "[", "{")) - (word.text in (")", "]", "}"))
        if depth < 0 or (depth == 0 and word.kind in ("name", "sign") and word.text in _ENDS_ORDER):
            break
        if depth == 0 and word.text == ",":
            items.append([])
        else:
            items[-1].append(word)
    return [*items, []] if len(items) == 1 and text[start - 1].text == "(" else items


@cache
def parameters() -> set[str]:
    """Names of the parameters of what users call to search."""
    macros = (text for file, text in files().items() if file.startswith("sql/public/") and "/* search/ */" in text)
    found = (re.search(r"CREATE MACRO \w+\((.*?)\)\s+AS", text, re.DOTALL) for text in macros)
    return {
        name
        for match in found
        if match
        for name in re.findall(r"(\w+)(?: := \S+?)?(?:,|$)", " ".join(match[1].replace('"', "").split()))
    }


def _parameters(file: str, text: list[Word]) -> Iterator[Broken]:
    known = parameters()
    for place, word in enumerate(text):
        if word.kind not in ("name", "quoted") or word.text.strip('"') not in known:
            continue
        if _before(text, place) in (".", "AS", "FROM", "JOIN") or _after(text, place) in (".", "(", ":"):
            continue
        yield Broken("parameter", file, word.line, f"{word.text} is a parameter of what users call, which would take its place")


def _before(text: list[Word], place: int) -> str:
    return text[place - 1].text if place else ""


def _after(text: list[Word], place: int) -> str:
    return text[place + 1].text if place + 1 < len(text) else ""


# -- the files together ---------------------------------------------------------------------


def _numbers() -> Iterator[Broken]:
    seen: dict[str, str] = {}
    for file in files():
        number = re.match(r"(sql/\w+/\d+)_", file)
        if number and number[1] in seen:
            yield Broken("number", file, 1, f"has the number of {seen[number[1]]}")
        elif number:
            seen[number[1]] = file


def _replaced() -> Iterator[Broken]:
    known = {name for folder in GIVEN for name in logic.relations(folder)}
    for file in files():
        name = Path(file).stem
        if file.startswith("udfs/relations/") and name not in known:
            yield Broken("replaced", file, 1, f"no relation of sql/ is called {name}")


def _order_of_relations() -> Iterator[Broken]:
    for folder, given in GIVEN.items():
        known = {*logic.relations(folder), *given}
        for numpy in (False, True):
            before = set(given)
            for name, relation in logic.relations(folder, numpy).items():
                for cte in sorted(ctes(relation.query) & known):
                    yield Broken("one name", _file(folder, name, numpy), 1, f"the CTE {cte} hides the relation of this name")
                for table in sorted(read(relation.query)):
                    if table not in before:
                        why = "comes after it" if table in known else "is no relation of its folder"
                        yield Broken("reads before", _file(folder, name, numpy), 1, f"reads {table}, which {why}")
                before.add(name)


def _file(folder: str, name: str, numpy: bool) -> str:
    return f"udfs/relations/{name}.sql" if numpy else f"sql/{folder}/*_{name}.sql"


def ctes(query: str) -> set[str]:
    """The names that a query gives to parts of itself."""
    return set(re.findall(r"\b(\w+) AS (?:NOT )?(?:MATERIALIZED )?\(", query))


def read(query: str) -> set[str]:
    """The relations that a query reads, as they are called in it; without its own and those of a schema."""
    text = words(query)
    found: set[str] = set()
    # Of each bracket that is open: whether a FROM is, and whether the next word is a relation.
    open_from, expected = [False], [False]
    for place, word in enumerate(text):
        if word.text == "(":
            open_from.append(False)
            expected[-1] = False
            expected.append(False)
        elif word.text == ")":
            open_from.pop()
            expected.pop()
        elif word.text == "JOIN" or (word.text == "FROM" and _before(text, place) != "DISTINCT"):
            open_from[-1] = expected[-1] = True
        elif word.text in _ENDS_FROM:
            open_from[-1] = False
        elif word.text == "," and open_from[-1]:
            expected[-1] = True
        elif expected[-1]:
            expected[-1] = False
            if word.kind == "name" and _after(text, place) not in (".", "("):
                found.add(word.text)
    if "query_table" in query:
        found |= {word.text.strip("'") for word in text if word.kind == "text" and word.text.endswith("_element'")}
    return found - ctes(query)


def main() -> None:
    """Print what breaks a rule."""
    found = broken()
    for each in found:
        print(f"{each} (let pass for now)" if each.known else each)
    sys.exit(any(not each.known for each in found))


if __name__ == "__main__":
    main()
