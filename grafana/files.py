"""The files that are written, as texts."""

import json

import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from grafana import alerts, consumers, endpoints, errors, overview, process, recording, uptime
from grafana.board import Board, dashboard

BOARDS = (
    overview.BOARD,
    endpoints.BOARD,
    consumers.BOARD,
    errors.BOARD,
    uptime.BOARD,
    process.BOARD,
)
_NOTE = "# Generated: edit grafana/*.py and run python -m grafana\n"


def made() -> dict[str, str]:
    """Give every file's text by its path in `grafana/`."""
    return {
        **{f"dashboards/{board.name}.json": _json(board) for board in BOARDS},
        "rules/recording.yaml": _yaml(recording.group()),
        "rules/alerts.yaml": _yaml(alerts.group()),
    }


def _json(board: Board) -> str:
    return json.dumps(dashboard(board), cls=JSONEncoder, indent=2) + "\n"


def _yaml(group: dict[str, object]) -> str:
    text: str = yaml.safe_dump({"groups": [group]}, sort_keys=False, width=100)
    return _NOTE + text
