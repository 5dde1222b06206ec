"""The warehouse in PostgreSQL: facts, dimensions, aggregates. docs/warehouse.md draws it."""
