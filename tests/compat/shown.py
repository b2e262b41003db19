"""What a scrape shows."""

import re

from prometheus_client.parser import text_string_to_metric_families


class Shown:
    """What a scrape shows."""

    def __init__(self, text):
        self.text = text
        self.samples = {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def __getitem__(self, line):
        """Give the number of a series, written as in the text."""
        (family,) = text_string_to_metric_families(f"{line} 0\n")
        (sample,) = family.samples
        return self.samples[(sample.name, *sorted(sample.labels.items()))]

    def __contains__(self, name):
        return any(key[0] == name for key in self.samples)

    def of(self, name):
        """Give the series of a name."""
        found = [line for line in self.text.splitlines() if line[0] != "#"]
        return [line for line in found if re.split("[{ ]", line)[0] == name]

    @property
    def families(self):
        """Give the kinds by name."""
        lines = (line.split(" ") for line in self.text.splitlines())
        return {words[2]: words[3] for words in lines if words[:2] == ["#", "TYPE"]}
