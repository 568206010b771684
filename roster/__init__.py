"""The application: what an operator starts. UserImport everything, is imported by nothing."""
