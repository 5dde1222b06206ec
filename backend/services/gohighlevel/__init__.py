"""GoHighLevel's webhooks: checked by signature, mapped to our events by the source's table. docs/events.md explains it."""
