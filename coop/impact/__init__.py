"""What is shown to the town: frozen figures and the public page."""
