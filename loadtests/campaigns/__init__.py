"""Many runs under one question."""
