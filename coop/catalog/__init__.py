"""What is made and by whom: artisans, products, terms and stories."""
