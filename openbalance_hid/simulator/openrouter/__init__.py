"""A local OpenRouter with sample accounts."""
