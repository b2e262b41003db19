"""Markup: XML, SOAP and HTML, read lexically; no entity is ever resolved."""
