"""Faces for browsers and programs: the screen in a browser, HTTP, MCP."""
