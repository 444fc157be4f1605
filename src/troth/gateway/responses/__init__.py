"""POST /v1/responses: answered by vendors that speak it, and by translation by those that speak chat alone."""
