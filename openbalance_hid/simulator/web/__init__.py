"""The virtual deck as a page in the browser."""
