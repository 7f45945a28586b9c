"""How long the search may take is no property of the code: a slow machine finds the same."""

from hypothesis import HealthCheck, settings

settings.register_profile("dropload", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("dropload")
