"""From shards to batches of clips, as a tf.data pipeline."""
