"""The variables of the exporters are those of their settings."""

from otel_apimetrics.exporters import variables
from otel_apimetrics.exporters.apitally.options import SETTINGS as APITALLY
from otel_apimetrics.exporters.har.exporter import SETTINGS as HAR
from otel_apimetrics.exporters.metlo.exporter import SETTINGS as METLO
from otel_apimetrics.exporters.moesif.exporter import SETTINGS as MOESIF
from otel_apimetrics.exporters.readme.exporter import SETTINGS as README

SETTINGS = {
    "apitally": APITALLY,
    "har": HAR,
    "metlo": METLO,
    "moesif": MOESIF,
    "readme": README,
}


def test_each_setting_of_an_exporter_has_its_variable_and_each_variable_its_setting():
    published = {name: value for name, value in vars(variables).items() if name.startswith("OTEL_")}
    assert all(name == value for name, value in published.items())
    assert published.keys() == {
        f"OTEL_EXPORTER_{vendor}_{name}".upper()
        for vendor, settings in SETTINGS.items()
        for name, setting in settings.items()
        if setting.has_variable
    }
