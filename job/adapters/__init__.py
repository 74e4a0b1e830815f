"""What touches the outside: one module a service, the only importer of its client."""
