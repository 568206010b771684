"""Sphinx configuration. `make docs` builds the site; a warning fails the build."""

import os
from importlib import metadata
from pathlib import Path
from typing import Any

project = "Roster"
copyright = "2026, The Roster developers; MIT License"
release = metadata.version("roster")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["_build", "_scripts"]

# Links such as errors.md#email-taken lead to headings, here as on a forge.
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"

html_theme = "furo"
html_static_path = ["_static"]
html_favicon = "_static/favicon.svg"
html_search_scorer = str(Path(__file__).parent / "_scripts" / "search_scorer.js")
html_title = f"Roster {release}"

# Copied console sessions have the commands only.
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True
copybutton_remove_prompts = True
copybutton_line_continuation_character = "\\"

# The site that hosts the repository, for links that view and edit a page.
if repository := os.environ.get("DOCS_REPOSITORY"):
    html_theme_options = {
        "source_repository": repository,
        "source_branch": "main",
        "source_directory": "docs/",
    }

# The pages of the extension are in its own folder. Here they are included: README.md from
# `extension.md`, all others from `extension/`.
EXTENSION_LINKS = {
    "README.md": {"](docs/": "](extension/", "](CHANGELOG.md": "](extension/changelog.md"},
    "CHANGELOG.md": {"](docs/": "]("},
}
LINKS_OF_PAGES = {"](../README.md": "](../extension.md", "](../CHANGELOG.md": "](changelog.md"}


def setup(app: Any) -> None:
    """Lead the links between the pages of the extension to their places on this site."""
    app.connect("include-read", map_extension_links)


def map_extension_links(app: Any, path: Path, parent: str, content: list[str]) -> None:
    """Replace links in an included page of the extension."""
    if "flask_pynamodb" in path.parts:
        for link, target in EXTENSION_LINKS.get(path.name, LINKS_OF_PAGES).items():
            content[0] = content[0].replace(link, target)
