"""Adapters to files, services and libraries; each client library is imported in one module only."""
