"""What is wrong with noisy labels, from the labels alone."""
