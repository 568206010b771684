"""The application: what an operator starts. Imports everything, is imported by nothing."""
