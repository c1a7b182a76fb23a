"""From texts to sound with trained models."""
