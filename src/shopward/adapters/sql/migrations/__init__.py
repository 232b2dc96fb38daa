"""The history of the schema; ``shopward.adapters.sql.migrate`` runs it when a store is opened."""
