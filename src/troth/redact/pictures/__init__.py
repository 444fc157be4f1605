"""Pictures without the people in them: faces, personal words and codes are found, covered, and looked for once more."""
