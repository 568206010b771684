"""Sphinx configuration. `make docs` builds the site; a warning fails the build."""

from importlib import metadata

project = "Roster"
release = metadata.version("roster")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]

# Links such as errors.md#email-taken lead to headings, here as on a forge.
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"

html_theme = "furo"
html_static_path = ["_static"]
html_favicon = "_static/favicon.svg"
html_title = f"Roster {release}"
