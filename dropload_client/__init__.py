"""dropload for people without a browser: a command, and the client of the API that it is made of.

It needs the standard library alone, and talks to any deployment: all it knows of it are its URL and an API key.
"""
