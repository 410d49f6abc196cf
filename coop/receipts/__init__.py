"""Money that came in and says whose it is: bank lines that carry a household's payment reference."""
