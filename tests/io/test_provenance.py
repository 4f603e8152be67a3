"""The record of how something was made."""

import json
import re

import gcmock
from gcmock.io.provenance import creator, data_sha256, library_versions, origin, provenance
from gcmock.settings.build import load_config


def test_origin() -> None:
    found = origin()
    assert list(found) == ["creator", "date", "versions"]
    assert found["creator"] == creator() == f"gcmock {gcmock.__version__}"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", found["date"])
    assert set(library_versions("cdshealpix")) == {*library_versions(), "cdshealpix"}


def test_provenance_of_equal_runs_is_equal() -> None:
    config = load_config(None, {"run.seed": 3})
    source = {"name": "stars.fits", "sha256": "0" * 64}
    words = {"law": "a law"}
    found = [
        provenance(config, "stars", source, {"read": 3}, words, dated=dated)
        for dated in (False, False, True)
    ]
    assert found[0] == found[1]
    assert set(found[2]) - set(found[0]) == {"date"}
    assert all(isinstance(text, str) for text in found[0].values())
    assert found[0]["seed"] == "3"
    assert json.loads(found[0]["rows"]) == {"read": 3}
    assert found[0]["data_sha256"] == data_sha256()
