"""How clips lie on disk: Examples, shards, their plan and metadata, and the runner that fills them."""
