"""What the services share. Follow one event through the house.

1. It lies on the Kinesis stream. ``consumer/__main__.py`` keeps a KCL daemon running (``headcount/kcl/supervisor.py``),
   which starts a worker process per shard (``consumer/worker.py``) and hands it batches
   (``headcount/kcl/processor.py``).
2. ``consumer/handler.py`` takes the batch: ``headcount/snowplow.py`` reads the TSV line, ``consumer/roster.py`` decides
   by ``headcount/rules.py`` whether it must be written, ``headcount/tables/players.py`` writes it to PlayerState on one
   condition. What can't be read goes to ``headcount/dead_letters``.
3. ``consumer/ledger.py`` knows when everything up to the event is settled; then the progress moves
   (``headcount/tables/progress.py``), and the checkpoint last.
4. The write shows on PlayerState's own stream. ``level_aggregator`` reads it in the same way:
   ``level_aggregator/stream_record.py`` sees the row before and after, ``level_aggregator/handler.py`` writes the net
   effect to LevelState and Transitions together with its progress (``headcount/tables/counts.py``), exactly once.
5. When the player falls silent, ``pruner/sweep.py`` raises the cutoff and deletes the row; the delete enters at 4.

``docs/architecture.md`` tells the same at length.
"""
