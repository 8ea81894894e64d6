"""A hub at a web address is the hub of the file; what is none is called so."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import data

import modelhub_sql
from modelhub_sql import fetching
from modelhub_sql.cli import main


class Server(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("Location", "/hub.duckdb" if self.path == "/moved" else "http://127.0.0.2:9/hub.duckdb?key=secret")
            self.end_headers()
        elif self.path == "/short":
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            self.wfile.write(b"01234567DUCK" + bytes(1000))
        elif self.path == "/denied":
            self.send_error(403)
        elif self.path == "/silent":
            silence.wait(5)
        else:
            super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


silence = threading.Event()


@pytest.fixture(scope="module")
def site(sensor_hub_path: str) -> Iterator[str]:
    folder = Path(sensor_hub_path).parent
    (folder / "hub.duckdb").write_bytes(Path(sensor_hub_path).read_bytes())
    (folder / "page.html").write_text("<html>no hub</html>" * 9)
    (folder / "broken.duckdb").write_bytes(Path(sensor_hub_path).read_bytes()[:20000])
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Server, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        silence.set()
        server.shutdown()


def test_a_hub_at_a_web_address_answers_as_its_file_does(
    site: str, sensor_hub: modelhub_sql.Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    target, exclude = data("leg1"), ["activity"]
    with modelhub_sql.connect(f"{site}/moved") as hub:
        here, there = (each.find_models(target, exclude=exclude).fetchall() for each in (sensor_hub, hub))
        assert here == there
        with pytest.raises(modelhub_sql.HubReadOnlyError, match="web address"):
            hub.register("new", target)
        with modelhub_sql.connect(partition_size=100) as other:
            assert len(other.import_hub(f"{site}/hub.duckdb", dry_run=True)) == 6
    # Nothing is left of what was fetched.
    assert list(tmp_path.iterdir()) == []


def test_the_command_line_takes_a_web_address(site: str, sensor_hub_path: str) -> None:
    answers = [
        CliRunner().invoke(main, ["find", hub, data("leg1"), "--exclude", "activity", "--json"]).stdout
        for hub in (sensor_hub_path, f"{site}/hub.duckdb?version=3")
    ]
    assert answers[0] == answers[1]
    assert "leg1" in answers[0]
    refused = CliRunner().invoke(main, ["remove", f"{site}/hub.duckdb?key=secret", "leg1"])
    assert refused.exit_code == 1
    assert "can be searched, not changed" in refused.output
    assert "secret" not in refused.output


@pytest.mark.parametrize(
    ("path", "error", "said"),
    [
        ("/none.duckdb?key=secret", modelhub_sql.HubNotFoundError, "there is no hub at .*none.duckdb.*404"),
        ("/page.html", modelhub_sql.HubFormatError, "is not a hub: the server sends a page"),
        ("/broken.duckdb", modelhub_sql.HubDamagedError, "http.*broken.duckdb is not a hub, or a damaged one"),
        ("/moved/away", modelhub_sql.HubAccessError, "is elsewhere, at http://127.0.0.2:9/hub.duckdb"),
        ("/short", modelhub_sql.HubAccessError, "broke off after 1012 of 100000 bytes"),
        ("/denied", modelhub_sql.HubAccessError, "403"),
        ("/silent", modelhub_sql.HubAccessError, "silent for"),
    ],
)
def test_what_is_no_hub_is_called_so(
    site: str, path: str, error: type[Exception], said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(fetching, "_PATIENCE", 0.3)
    with pytest.raises(error, match=said) as raised:
        modelhub_sql.connect(site + path)
    assert "secret" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_a_hub_that_is_too_large_is_not_fetched(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELHUB_MAX_DOWNLOAD", "1e4")
    with pytest.raises(modelhub_sql.HubAccessError, match=r"more than the .* MODELHUB_MAX_DOWNLOAD"):
        modelhub_sql.connect(f"{site}/hub.duckdb")
    with pytest.raises(modelhub_sql.HubAccessError, match="can't be read"):
        modelhub_sql.connect("http://127.0.0.1:9/hub.duckdb")
