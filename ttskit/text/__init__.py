"""The text side: from written text to the tokens that models are trained on and that are spoken."""
