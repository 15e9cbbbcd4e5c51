"""The benchmark suite: realtime_pcm beside its peers, on frames of the sizes and key orders that servers really send."""
