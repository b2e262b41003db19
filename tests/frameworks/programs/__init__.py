"""Generated apps: a program is a list of steps, interpreted as a WSGI or as an ASGI app.

The interpreter writes down what each step did and what the server or we answered, so that two
runs can be compared event by event.
"""
