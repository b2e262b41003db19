"""Fronts of other packages: their names, on our instrumentation. One changed import."""
