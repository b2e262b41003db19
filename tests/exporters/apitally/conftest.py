import tempfile

import pytest


@pytest.fixture(autouse=True)
def slots(tmp_path, monkeypatch):
    """Ids of instances are kept in the temporary directory: each test has its own."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path / "apitally"
