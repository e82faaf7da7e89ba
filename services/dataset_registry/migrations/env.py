"""Runs the migrations on the connection that the catalogue hands over."""

from alembic import context

from dataset_registry.schema_sqlalchemy import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    if connection.dialect.name == "postgresql":
        # Two registries that start together migrate one after the other.
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7275628)")
    context.run_migrations()
