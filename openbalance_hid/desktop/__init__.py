"""What the user's desktop provides: keyring and key files, pages in the browser, notifications, screen lock, sleep."""
