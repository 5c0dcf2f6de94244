"""The baclofen line."""

__version__ = "0.1.0"
