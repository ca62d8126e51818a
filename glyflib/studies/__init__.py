"""What takes longer than a chapter's minute: a module a study."""
