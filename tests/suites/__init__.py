"""Other people's test suites, run twice: without us, and with us switched on for every app."""
