"""The command: `python -m grafana` writes `grafana/dashboards` and `grafana/rules` anew."""

from pathlib import Path

from grafana import files


def main() -> None:
    """Write each file."""
    for name, text in files.made().items():
        path = Path(__file__).parent / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
