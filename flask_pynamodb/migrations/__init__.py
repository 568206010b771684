"""Data migrations: functions that change the stored items of a model, each item once."""
