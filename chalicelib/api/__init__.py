"""HTTP: routes as Chalice blueprints, each one call into a service, and one shape for errors."""
