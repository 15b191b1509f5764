"""Makes a name fit for an address out of a title."""


def slug(title: str) -> str:
    """Lower-case words of letters and digits, joined by single hyphens."""
    return title.lower().replace(" ", "-")
