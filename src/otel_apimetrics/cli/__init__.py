"""The command line, above all other rooms: nothing imports it."""
