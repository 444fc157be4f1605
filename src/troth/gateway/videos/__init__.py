"""Videos: jobs that last longer than a request, kept in the database until they have ended."""
