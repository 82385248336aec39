"""A trained detector applied: a run found and loaded, clips scored, frames weighed."""
