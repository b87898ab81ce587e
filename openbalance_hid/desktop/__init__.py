"""What the owner's desktop keeps and does for us: the keyring and what stands in for it, pages in the browser."""
