"""Runs the migrations on the connection that the catalogue hands over, in the transaction that it has begun."""

from alembic import context

from dataset_registry.schema_sqlalchemy import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
