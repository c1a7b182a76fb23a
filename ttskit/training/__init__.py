"""Training: one trainer for every role and family."""
