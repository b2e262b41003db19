"""What names a secret in text without a sign between the two: tags, flags, lists, statements."""
