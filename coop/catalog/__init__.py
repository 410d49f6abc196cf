"""What is made and by whom: artisans, products and stories."""
