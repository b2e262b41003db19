"""Labels see the response that Connexion makes of what a handler returns."""

from pathlib import Path

import connexion

from otel_apimetrics.compat.prometheus_flask_exporter import ConnexionPrometheusMetrics

app = connexion.App(__name__, specification_dir=Path(__file__).parent)
metrics = ConnexionPrometheusMetrics(app)

by_type = metrics.counter(
    "answers", "Answers by type", labels={"type": lambda response: response.mimetype}
)


@by_type
def get_ship(name: str) -> dict[str, str]:
    return {"ship": name}


@metrics.content_type("text/plain")
@by_type
def get_motto() -> str:
    return "Fluctuat nec mergitur"


# Last: it imports this module's handlers by their names.
app.add_api("connexion_api.yaml")
